"""The autoencoder of binarised patch attention (section 5.4.1, Fig. 6C)."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.nn import functional

from vitpanel.core.patterns import binary_matrices

STRIDE = 4
# About one entry in a hundred is 1. Full balance (99) blurs the patterns; the square root keeps them and trains.
POSITIVE_WEIGHT = 10.0


class Autoencoder(nn.Module):
    """Two strided convolutions and one fully connected layer each way.

    Parameters
    ----------
    n_cells
        Side of the matrices; padded inside to a multiple of 16.
    latent_dim
        Length of the bottleneck.
    channels
        Of the two convolutions.
    """

    def __init__(self, n_cells: int, latent_dim: int = 32, channels: tuple[int, int] = (8, 16)) -> None:
        super().__init__()
        self.n_cells = n_cells
        side = -(-n_cells // STRIDE**2)
        self._padding = side * STRIDE**2 - n_cells
        shape = (channels[1], side, side)
        options = {"kernel_size": STRIDE + 2, "stride": STRIDE, "padding": 1}
        self.encoder = nn.Sequential(
            nn.Conv2d(1, channels[0], **options),
            nn.GELU(),
            nn.Conv2d(channels[0], channels[1], **options),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(channels[1] * side**2, latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, channels[1] * side**2),
            nn.GELU(),
            nn.Unflatten(1, shape),
            nn.ConvTranspose2d(channels[1], channels[0], **options),
            nn.GELU(),
            nn.ConvTranspose2d(channels[0], 1, **options),
        )

    def encode(self, matrices: Tensor) -> Tensor:
        """Latents ``(n, latent_dim)`` of matrices ``(n, n_cells, n_cells)``."""
        return self.encoder(functional.pad(matrices[:, None], (0, self._padding, 0, self._padding)))

    def forward(self, matrices: Tensor) -> Tensor:
        """Logits of the reconstruction, ``(n, n_cells, n_cells)``."""
        return self.decoder(self.encode(matrices))[:, 0, : self.n_cells, : self.n_cells]


@dataclass(frozen=True)
class Training:
    """How a training went; goes into the study's manifest.

    Parameters
    ----------
    train_loss, validation_loss
        Weighted cross-entropy an entry, one value an epoch.
    average_precision
        Of the ones of the validation matrices, in [0, 1], at the epoch that is kept.
    """

    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    average_precision: float
    n_train: int
    n_validation: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


def train_autoencoder(
    indices: np.ndarray,
    n_cells: int,
    *,
    latent_dim: int,
    seed: int,
    device: torch.device,
    max_epochs: int = 12,
    batch_size: int = 128,
    on_epoch: Callable[[int], object] = lambda _epoch: None,
) -> tuple[Autoencoder, Training]:
    """Train on binarised matrices and keep the epoch with the lowest validation loss.

    Parameters
    ----------
    indices
        Of `vitpanel.core.patterns.top_indices`, ``(n, k)``; a tenth is held out for validation.
    max_epochs
        Training stops earlier when two epochs in a row bring less than 1 %.
    on_epoch
        Hears each epoch's number when it is done.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Autoencoder(n_cells, latent_dim).to(device)
    order = torch.randperm(len(indices), generator=generator).numpy()
    held_out = order[: max(1, len(order) // 10)]
    training = order[len(held_out) :] if len(order) > 1 else order
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses: list[float] = []
    validation: list[float] = []
    best = {key: value.clone() for key, value in model.state_dict().items()}
    for epoch in range(max_epochs):
        shuffled = training[torch.randperm(len(training), generator=generator).numpy()]
        total = 0.0
        model.train()
        for batch in np.array_split(shuffled, -(-len(shuffled) // batch_size)):
            loss = _loss(model, _matrices(indices[batch], n_cells, device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        losses.append(total / len(training))
        validation.append(_validation_loss(model, indices[held_out], batch_size, device))
        if validation[-1] == min(validation):
            best = {key: value.clone() for key, value in model.state_dict().items()}
        on_epoch(epoch)
        if len(validation) > 2 and min(validation) > 0.99 * min(validation[:-2]):  # noqa: PLR2004
            break
    model.load_state_dict(best)
    precision = _average_precision(model, indices[held_out[:200]], device)
    return model.eval(), Training(tuple(losses), tuple(validation), precision, len(training), len(held_out))


def encode_patterns(model: Autoencoder, indices: np.ndarray, *, batch_size: int = 256) -> np.ndarray:
    """Latents of binarised matrices ``(..., k)``, float32 ``(..., latent_dim)``."""
    flat = indices.reshape(-1, indices.shape[-1])
    device = next(model.parameters()).device
    with torch.inference_mode():
        latents = [
            model.encode(_matrices(flat[start : start + batch_size], model.n_cells, device)).cpu()
            for start in range(0, len(flat), batch_size)
        ]
    return torch.cat(latents).numpy().reshape(*indices.shape[:-1], -1)


def autoencoder_bytes(model: Autoencoder) -> bytes:
    """Weights as a safetensors file."""
    return save({key: value.cpu().contiguous() for key, value in model.state_dict().items()})


def _matrices(indices: np.ndarray, n_cells: int, device: torch.device) -> Tensor:
    return torch.from_numpy(binary_matrices(indices, n_cells)).to(device)


def _loss(model: Autoencoder, matrices: Tensor) -> Tensor:
    weight = matrices.new_tensor(POSITIVE_WEIGHT)
    return functional.binary_cross_entropy_with_logits(model(matrices), matrices, pos_weight=weight)


def _validation_loss(model: Autoencoder, indices: np.ndarray, batch_size: int, device: torch.device) -> float:
    model.eval()
    total = 0.0
    with torch.inference_mode():
        for start in range(0, len(indices), batch_size):
            batch = indices[start : start + batch_size]
            total += float(_loss(model, _matrices(batch, model.n_cells, device))) * len(batch)
    return total / len(indices)


def _average_precision(model: Autoencoder, indices: np.ndarray, device: torch.device) -> float:
    matrices = _matrices(indices, model.n_cells, device)
    with torch.inference_mode():
        scores = model(matrices)
    return float(average_precision_score(matrices.cpu().numpy().ravel() > 0, scores.cpu().numpy().ravel()))
