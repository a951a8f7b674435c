"""The autoencoder of binarised patch attention (section 5.4.1, Fig. 6C)."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

# A small study needs many passes, a large one few; what the middle and the largest see is bounded.
MANY_PASSES, MIDDLE_SEEN, FEW_PASSES, MOST_SEEN = 60, 64_000, 3, 480_000
MIN_EPOCH, MAX_EPOCH = 2_048, 16_384
MAX_VALIDATION, MAX_SCORED = 2_000, 500
BATCH_SIZE = 32
LEARNING_RATE = 4e-3
# The weights that are kept are running means over about 100 batches: better than the last ones by as much as a slower
# rate would bring, and training may end at any epoch.
AVERAGING = 0.99
PATIENCE, LEAST_GAIN = 2, 0.005


class Autoencoder(nn.Module):
    """Two convolutions and one fully connected layer each way.

    The first convolution covers, at each step, the attention from one row of the grid to one row of the grid. There a
    head that looks a fixed number of columns aside draws the same diagonal whatever the rows are, and one that looks a
    fixed number of rows aside draws a diagonal over the steps, which the second convolution sees.

    A matrix comes as the places of its ones and leaves as one logit an entry, both in *blocks*: row of the source, row
    of the target, column of the source, column of the target. `blocked` brings the indices of a study into this order.

    Parameters
    ----------
    side
        Rows and columns of the grid of the matrices, of `vitpanel.core.patterns.pooled_side`.
    latent_dim
        Length of the bottleneck.
    channels
        Of the two convolutions.
    """

    def __init__(self, side: tuple[int, int], latent_dim: int = 32, channels: tuple[int, int] = (32, 32)) -> None:
        super().__init__()
        self.rows, self.cols = side
        self.n_cells = self.rows * self.cols
        order = torch.arange(self.n_cells**2).view(self.rows, self.cols, self.rows, self.cols).transpose(1, 2).flatten()
        self.register_buffer("block_order", order, persistent=False)
        self.register_buffer("block_place", torch.argsort(order), persistent=False)
        within, between = {"kernel_size": self.cols, "stride": self.cols}, {"kernel_size": 4, "stride": 2, "padding": 2}
        coded = self.rows // 2 + 1
        self.conv1 = nn.Conv2d(1, channels[0], **within)
        self.conv2 = nn.Conv2d(channels[0], channels[1], **between)
        self.to_latent = nn.Linear(channels[1] * coded**2, latent_dim)
        self.from_latent = nn.Linear(latent_dim, channels[1] * coded**2)
        self.unflatten = nn.Unflatten(1, (channels[1], coded, coded))
        self.deconv2 = nn.ConvTranspose2d(channels[1], channels[0], **between, output_padding=self.rows % 2)
        self.deconv1 = nn.ConvTranspose2d(channels[0], 1, **within)

    def blocked(self, indices: np.ndarray) -> Tensor:
        """Places of ones, ``(n, k)``, in blocks and on the model's device."""
        return self.block_place[torch.from_numpy(indices.astype(np.int64)).to(self.block_place.device)]

    def encode(self, ones: Tensor) -> Tensor:
        """Latents ``(n, latent_dim)`` of the matrices whose ones `blocked` gave, ``(n, k)``."""
        hidden = torch.relu(self._sparse_conv1(ones))
        return self.to_latent(torch.relu(self.conv2(hidden)).flatten(1))

    def forward(self, ones: Tensor) -> Tensor:
        """Logits of the reconstruction, ``(n, n_cells²)`` in blocks."""
        hidden = self.unflatten(torch.relu(self.from_latent(self.encode(ones))))
        return self._blocked_deconv1(torch.relu(self.deconv2(hidden)))

    def _sparse_conv1(self, ones: Tensor) -> Tensor:
        """The first convolution, as a sum over the 1 % of the entries that are not 0."""
        n, size = len(ones), self.cols**2
        weight = self.conv1.weight.flatten(1).T
        step = ones // size + torch.arange(n, device=ones.device)[:, None] * self.rows**2
        parts = functional.embedding(ones.flatten() % size, weight)
        sums = weight.new_zeros(n * self.rows**2, weight.shape[1]).index_add(0, step.flatten(), parts)
        result = sums + self.conv1.bias
        return result.view(n, self.rows, self.rows, -1).permute(0, 3, 1, 2)

    def _blocked_deconv1(self, hidden: Tensor) -> Tensor:
        """The last transposed convolution, left in blocks: its steps do not overlap, so it is one product."""
        return (hidden.permute(0, 2, 3, 1) @ self.deconv1.weight.flatten(1) + self.deconv1.bias).flatten(1)


@dataclass(frozen=True)
class Training:
    """How a training went; goes into the study's manifest.

    Parameters
    ----------
    train_loss, validation_loss
        Nats a one, as `reconstruction_loss`; one value an epoch. That of training is of the weights as they move.
    average_precision
        Of the ones of a validation matrix at the epoch that is kept, in [0, 1]; the mean over matrices.
    n_train, n_validation
        Number of matrices.
    """

    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    average_precision: float
    n_train: int
    n_validation: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


def n_seen_at_most(n_matrices: int) -> int:
    """How many matrices, each counted as often as it comes, a training on so many sees before it ends."""
    return min(max(min(MANY_PASSES * n_matrices, MIDDLE_SEEN), FEW_PASSES * n_matrices), MOST_SEEN)


def train_autoencoder(
    indices: np.ndarray,
    side: tuple[int, int],
    *,
    latent_dim: int,
    seed: int,
    device: torch.device,
    on_batch: Callable[[int], object] = lambda _n: None,
) -> tuple[Autoencoder, Training]:
    """Train on binarised matrices and keep the epoch with the lowest validation loss.

    Training ends after `n_seen_at_most` matrices, or when two epochs in a row bring less than half a percent.

    Parameters
    ----------
    indices
        Of `vitpanel.core.patterns.top_indices`, ``(n, k)``; a tenth, at most 2,000, is held out for validation.
    side
        Rows and columns of the grid of the matrices.
    on_batch
        Hears how many matrices were seen since it was last called; `n_seen_at_most` in all at most.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Autoencoder(side, latent_dim).to(device)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING))
    order = torch.randperm(len(indices), generator=generator).numpy()
    n_held_out = min(MAX_VALIDATION, max(1, len(order) // 10))
    held_out, training = indices[order[:n_held_out]], order[n_held_out:] if len(order) > 1 else order
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    batches = _batches(training, generator)
    n_batches = math.ceil(min(max(len(training), MIN_EPOCH), MAX_EPOCH) / BATCH_SIZE)
    losses: list[float] = []
    validation: list[float] = []
    best: dict[str, Tensor] = {}
    for _ in range(max(1, n_seen_at_most(len(indices)) // (n_batches * BATCH_SIZE))):
        parts: list[float] = []
        for batch in islice(batches, n_batches):
            loss = reconstruction_loss(model, model.blocked(indices[batch]))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            averaged.update_parameters(model)
            parts.append(loss.item())
            on_batch(BATCH_SIZE)
        losses.append(float(np.mean(parts)))
        validation.append(_mean_loss(averaged.module, held_out))
        if validation[-1] == min(validation):
            best = {key: value.clone() for key, value in averaged.module.state_dict().items()}
        if len(validation) > PATIENCE and min(validation) > (1 - LEAST_GAIN) * min(validation[:-PATIENCE]):
            break
    model.load_state_dict(best)
    precision = average_precision(model, held_out[:MAX_SCORED])
    return model.eval(), Training(tuple(losses), tuple(validation), precision, len(training), len(held_out))


def _batches(rows: np.ndarray, generator: torch.Generator) -> Iterator[np.ndarray]:
    """Go through the rows in batches without end, in another order each time."""
    rest = rows[:0]
    while True:
        while len(rest) < BATCH_SIZE:
            rest = np.concatenate([rest, rows[torch.randperm(len(rows), generator=generator).numpy()]])
        yield rest[:BATCH_SIZE]
        rest = rest[BATCH_SIZE:]


def encode_patterns(model: Autoencoder, indices: np.ndarray, *, batch_size: int = 256) -> np.ndarray:
    """Latents of binarised matrices ``(..., k)``, float32 ``(..., latent_dim)``."""
    flat = indices.reshape(-1, indices.shape[-1])
    with torch.inference_mode():
        latents = [
            model.encode(model.blocked(flat[start : start + batch_size])).cpu()
            for start in range(0, len(flat), batch_size)
        ]
    return torch.cat(latents).numpy().reshape(*indices.shape[:-1], -1)


def reconstruct_patterns(model: Autoencoder, indices: np.ndarray) -> np.ndarray:
    """Reconstructions of binarised matrices ``(..., k)``: float32 ``(..., n_cells, n_cells)``, each of sum 1."""
    with torch.inference_mode():
        logits = model(model.blocked(indices.reshape(-1, indices.shape[-1])))
        shares = functional.softmax(logits, 1)[:, model.block_place].cpu().numpy()
    return shares.reshape(*indices.shape[:-1], model.n_cells, model.n_cells)


def average_precision(model: Autoencoder, indices: np.ndarray) -> float:
    """Average precision of the ones of each matrix ``(n, k)`` in its reconstruction, the mean over matrices."""
    shares = reconstruct_patterns(model, indices).reshape(len(indices), -1)
    is_one = np.zeros(shares.shape, bool)
    np.put_along_axis(is_one, indices.astype(np.int64), values=True, axis=1)
    return float(np.mean([average_precision_score(*pair) for pair in zip(is_one, shares, strict=True)]))


def autoencoder_bytes(model: Autoencoder) -> bytes:
    """Weights as a safetensors file."""
    return save({key: value.cpu().contiguous() for key, value in model.state_dict().items()})


def autoencoder_from_bytes(data: bytes, side: tuple[int, int], *, latent_dim: int, device: torch.device) -> Autoencoder:
    """Inverse of `autoencoder_bytes`, for matrices of a grid of so many rows and columns."""
    model = Autoencoder(side, latent_dim)
    model.load_state_dict(load(data))
    return model.to(device).eval()


def reconstruction_loss(model: Autoencoder, ones: Tensor) -> Tensor:
    """Cross-entropy in nats between the ones and a softmax over all entries of a matrix.

    Each one competes with every zero, so that the many zeros need no weight. A uniform reconstruction gives
    2·log(n_cells), a perfect one the logarithm of the number of ones.

    Parameters
    ----------
    ones
        Of `Autoencoder.blocked`.
    """
    return -functional.log_softmax(model(ones), 1).gather(1, ones).mean()


def _mean_loss(model: Autoencoder, indices: np.ndarray, *, batch_size: int = 128) -> float:
    total = 0.0
    with torch.inference_mode():
        for start in range(0, len(indices), batch_size):
            batch = indices[start : start + batch_size]
            total += float(reconstruction_loss(model, model.blocked(batch))) * len(batch)
    return total / len(indices)
