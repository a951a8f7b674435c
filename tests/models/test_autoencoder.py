"""The autoencoder of binarised patch attention."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch.nn import functional

from vitpanel.core.patterns import binary_matrices, n_top
from vitpanel.models import autoencoder as module
from vitpanel.models.autoencoder import (
    Autoencoder,
    Training,
    autoencoder_bytes,
    average_precision,
    encode_patterns,
    reconstruct_patterns,
    reconstruction_loss,
    train_autoencoder,
)

SIDES = [(1, 1), (1, 5), (4, 4), (5, 3), (3, 7), (14, 14), (16, 9)]


def random_indices(rng: np.random.Generator, n: int, n_cells: int) -> np.ndarray:
    """Places of ones of matrices without any pattern."""
    return np.sort(rng.random((n, n_cells**2)).argsort(1)[:, : n_top(n_cells)], axis=1).astype(np.uint16)


def shifted_indices(rng: np.random.Generator, n: int, side: tuple[int, int]) -> np.ndarray:
    """Heads that look at a patch some rows and columns away: one of nine offsets, and a choice of sources."""
    rows, cols = side
    source = np.arange(rows * cols)
    matrices = []
    for offset in rng.integers(-1, 2, (n, 2)):
        row, col = np.divmod(source, cols) + offset[:, None]
        inside = source[(row >= 0) & (row < rows) & (col >= 0) & (col < cols)]
        chosen = rng.choice(inside, n_top(rows * cols), replace=False)
        matrices.append(np.sort(chosen * rows * cols + chosen + offset[0] * cols + offset[1]))
    return np.array(matrices, np.uint16)


def plain_logits(model: Autoencoder, matrices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents and logits by torch's own convolutions over the whole matrices."""
    hidden = torch.relu(model.conv2(torch.relu(model.conv1(matrices[:, None]))))
    latents = model.to_latent(hidden.flatten(1))
    back = torch.relu(model.deconv2(model.unflatten(torch.relu(model.from_latent(latents)))))
    return latents, model.deconv1(back)[:, 0]


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_it_is_two_convolutions_and_a_fully_connected_layer_each_way(side: tuple[int, int], rng: np.random.Generator):
    n_cells = side[0] * side[1]
    model = Autoencoder(side, latent_dim=5)
    indices = random_indices(rng, 4, n_cells)
    with torch.no_grad():
        latents, logits = plain_logits(model, torch.from_numpy(binary_matrices(indices, n_cells)))
    np.testing.assert_allclose(encode_patterns(model, indices), latents, atol=1e-5)
    shares = functional.softmax(logits.flatten(1), 1).reshape(logits.shape)
    np.testing.assert_allclose(reconstruct_patterns(model, indices), shares, atol=1e-6)
    expected = -functional.log_softmax(logits.flatten(1), 1).numpy()
    expected = np.take_along_axis(expected, indices.astype(np.int64), 1).mean()
    assert reconstruction_loss(model, model.blocked(indices)).item() == pytest.approx(expected, abs=1e-5)


def test_latents_keep_the_shape_of_what_they_are_of(rng: np.random.Generator):
    model = Autoencoder((4, 4), latent_dim=7)
    indices = random_indices(rng, 30, 16).reshape(5, 2, 3, -1)
    latents = encode_patterns(model, indices, batch_size=8)
    assert latents.shape == (5, 2, 3, 7)
    assert latents.dtype == np.float32
    for image in range(5):
        np.testing.assert_allclose(encode_patterns(model, indices[image]), latents[image], atol=1e-6)


@pytest.fixture(scope="module")
def trained() -> tuple[np.ndarray, Autoencoder, Training, list[int]]:
    """Train on heads that have one of nine patterns."""
    indices = shifted_indices(np.random.default_rng(0), 600, (6, 8))
    seen: list[int] = []
    device = torch.device("cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MIDDLE_SEEN", 12_000)
        model, training = train_autoencoder(indices, (6, 8), latent_dim=8, seed=1, device=device, on_batch=seen.append)
    return indices, model, training, seen


def test_it_learns_the_patterns(trained: tuple[np.ndarray, Autoencoder, Training, list[int]]):
    _, model, training, _ = trained
    chance, perfect = 2 * math.log(48), math.log(n_top(48))
    assert training.validation_loss[0] < chance
    assert min(training.validation_loss) < perfect + 0.3 * (chance - perfect)
    assert training.average_precision > 0.3
    unseen = shifted_indices(np.random.default_rng(7), 100, (6, 8))
    assert average_precision(model, unseen) == pytest.approx(training.average_precision, abs=0.1)


def test_a_tenth_is_held_out_and_every_epoch_has_its_losses(
    trained: tuple[np.ndarray, Autoencoder, Training, list[int]],
):
    _, _, training, seen = trained
    assert (training.n_train, training.n_validation) == (540, 60)
    assert len(training.train_loss) == len(training.validation_loss) == sum(seen) // 2_048
    assert sum(seen) <= 12_000


def test_average_precision_is_that_of_each_matrix(trained: tuple[np.ndarray, Autoencoder, Training, list[int]]):
    indices, model, _, _ = trained
    expected = []
    for ones, shares in zip(indices[:20], reconstruct_patterns(model, indices[:20]), strict=True):
        ranks = np.sort((-shares.ravel()).argsort().argsort()[ones.astype(int)]) + 1
        expected.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    assert average_precision(model, indices[:20]) == pytest.approx(np.mean(expected), abs=1e-6)


def test_the_weights_are_a_safetensors_file(trained: tuple[np.ndarray, Autoencoder, Training, list[int]]):
    indices, model, _, _ = trained
    again = Autoencoder((6, 8), latent_dim=8)
    again.load_state_dict(load(autoencoder_bytes(model)))
    np.testing.assert_allclose(encode_patterns(again, indices), encode_patterns(model, indices), atol=1e-5)


def test_the_seed_decides_and_leaves_that_of_torch_alone(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MIDDLE_SEEN", 2_048)
    indices = random_indices(rng, 40, 16)

    def weights(seed: int) -> bytes:
        model, _ = train_autoencoder(indices, (4, 4), latent_dim=3, seed=seed, device=torch.device("cpu"))
        return autoencoder_bytes(model)

    state = torch.random.get_rng_state()
    first = weights(1)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(3)
    assert weights(1) == first
    assert weights(2) != first


def test_training_stops_when_it_brings_nothing_more(monkeypatch: pytest.MonkeyPatch):
    indices = np.tile(np.array([[0, 5, 9]], np.uint16), (200, 1))
    monkeypatch.setattr(module, "LEARNING_RATE", 0.0)
    _, training = train_autoencoder(indices, (4, 4), latent_dim=3, seed=0, device=torch.device("cpu"))
    assert len(training.validation_loss) == module.PATIENCE + 1


@pytest.mark.parametrize(
    ("n_matrices", "n_seen"),
    [(1, 60), (1_000, 60_000), (1_600, 64_000), (16_000, 64_000), (50_000, 150_000), (200_000, 480_000)],
)
def test_a_larger_study_is_seen_fewer_times(n_matrices: int, n_seen: int):
    assert module.n_seen_at_most(n_matrices) == n_seen


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_matrices_will_do(n: int):
    indices = np.arange(3 * n, dtype=np.uint16).reshape(n, 3)
    model, training = train_autoencoder(indices, (4, 4), latent_dim=3, seed=0, device=torch.device("cpu"))
    assert len(training.validation_loss) == 1
    assert training.n_validation == 1
    assert training.n_train == max(1, n - 1)
    assert np.isfinite(encode_patterns(model, indices)).all()
