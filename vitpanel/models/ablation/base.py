"""What every engine offers, in terms of a run without pruning and of pruning one layer in several ways."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from vitpanel.core.pruned_head import PrunedHead
from vitpanel.core.regions import HeadPruning, PruningMode, is_defined, pruning_mask
from vitpanel.core.spec import ViTSpec
from vitpanel.errors import ChoiceError
from vitpanel.models.ablation.layer_metrics import by_metric, layer_metrics
from vitpanel.models.ablation.products import HalfProducts
from vitpanel.models.ablation.pruned_set import check_set, makes_attention, without_set
from vitpanel.models.ablation.results import LeaveOneOut, ModeTable, PrunedTogether
from vitpanel.models.adapters.site import AttentionSite
from vitpanel.models.model import ViTModel
from vitpanel.models.stopping import step

# A of one layer that is in memory at a time, where it must be made.
ATTENTION_BYTES = 256 * 2**20

# What the factors of a product are on CUDA; sums, residuals and all else are float32. Importance is a small difference
# of near-equal numbers: bfloat16 would falsify it and is not offered.
Precision = Literal["float32", "tf32", "fp16"]
OnAttention = Callable[[int, Tensor], None]


class CleanRun(Protocol):
    """A run without pruning: the model's output, and z of each layer ``(n, n_tokens, width)``."""

    @property
    def output(self) -> Tensor: ...  # noqa: D102

    @property
    def z(self) -> Sequence[Tensor]: ...  # noqa: D102


Clean = TypeVar("Clean", bound=CleanRun)


class Outcome(NamedTuple):
    """Pruning one layer in k ways: logits ``(n, k, n_classes)`` or None, metrics of it ``(n, k, n_metrics)``."""

    logits: Tensor | None
    layer: Tensor


class Ablation(ABC, Generic[Clean]):
    """Prunes heads of a model; results are exact and do not depend on ``batch_size``.

    Parameters
    ----------
    model
        Locked while a method runs.
    batch_size
        Largest number of images, pruned ones included, in one forward.
    precision
        Of the products on CUDA, see `Precision`.
    """

    def __init__(self, model: ViTModel, batch_size: int, precision: Precision = "float32") -> None:
        self.model = model
        self.batch_size = batch_size
        self.precision = precision
        # Images at once where each is run as it is; an engine that knows the machine may take fewer.
        self._rows = batch_size
        self.modes_defined = [m for m in PruningMode if m is not PruningMode.NONE and is_defined(m, model.spec.grid)]

    def leave_one_out(self, images: Tensor, on_attention: OnAttention) -> LeaveOneOut:
        """Prune every head of every image; ``on_attention(layer, A)`` hears the unpruned attention."""
        spec = self.model.spec
        with self._running():
            clean = self._clean(images.to(self.model.device), on_attention)
            layers = [
                self._prune_each(clean, [HeadPruning(layer, head) for head in range(spec.heads_of(layer))])
                for layer in range(spec.n_layers)
            ]
            return LeaveOneOut(
                probabilities=self._probabilities(clean.output),
                pruned=self._probabilities(_stacked([outcome.logits for outcome in layers])),
                layer=by_metric(_padded([outcome.layer for outcome in layers])),
            )

    def unpruned(self, images: Tensor, on_attention: OnAttention) -> np.ndarray | None:
        """Probabilities without pruning, ``(n, n_classes)`` or None; ``on_attention(layer, A)`` hears the attention."""
        with self._running():
            return self._probabilities(self._clean(images.to(self.model.device), on_attention).output)

    def modes(self, image: Tensor, layer: int, head: int, *, unpruned: np.ndarray | None = None) -> PrunedHead:
        """Run all six pruning modes of a head on one image.

        Parameters
        ----------
        image
            ``(1, channels, height, width)``.
        unpruned
            Its probabilities without pruning where they are known, ``(n_classes,)``, so that they need not be computed;
            they must come from the same arithmetic.
        """
        with self._running():
            clean = self._recent(image.to(self.model.device), layer, to_output=unpruned is None)
            return self._mode_table(clean, [[(layer, head)]], unpruned=unpruned).head(0, 0, 0)

    def mode_table(self, images: Tensor) -> ModeTable:
        """Run all six pruning modes of every head."""
        spec = self.model.spec
        heads = [[(layer, head) for head in range(spec.heads_of(layer))] for layer in range(spec.n_layers)]
        with self._running():
            return self._mode_table(self._clean(images.to(self.model.device)), heads)

    def prune(self, images: Tensor, prunings: Sequence[HeadPruning]) -> PrunedTogether:
        """Prune regions of any heads of any layers at once; none gives the unpruned model."""
        spec = self.model.spec
        with self._running():
            clean, z = self._clean(images.to(self.model.device)), list[Tensor]()
            first = min((pruning.layer for pruning in prunings), default=spec.n_layers)
            output = clean.output
            if prunings:
                with ExitStack() as hooks:
                    for layer, site in enumerate(self.model.sites):
                        of_layer = [pruning for pruning in prunings if pruning.layer == layer]
                        hooks.enter_context(_pruned(site, of_layer, spec.grid))
                        hooks.enter_context(site.z_hook(z.append))
                    output = self._run_from(clean, first)
            # What restarts inside the model has no z of the layers before.
            later = list(zip(clean.z, [*clean.z[: spec.n_layers - len(z)], *z], strict=True))
            metrics = torch.stack([layer_metrics(before, after, spec.grid) for before, after in later], 1)
            # What is not defined stays so.
            metrics[:, :first] *= 0
            return PrunedTogether(self._probabilities(clean.output), self._probabilities(output), by_metric(metrics))

    def prune_set(self, images: Tensor, heads: np.ndarray, mode: PruningMode = PruningMode.HEAD) -> np.ndarray:
        """Prune a set of heads together, by one forward an image in which nothing is kept.

        Parameters
        ----------
        images
            ``(n, channels, height, width)``, at least one: as many as fit run at once.
        heads
            The set, bool ``(n_layers, n_heads)``; without any, or with mode 0, nothing is pruned.
        mode
            What of them is pruned.

        Returns
        -------
        Probabilities, float32 ``(n, n_classes)``.

        Raises
        ------
        ChoiceError
            If the model has no such head, mode or no class head.
        """
        spec = self.model.spec
        check_set(spec, heads, mode)
        if not spec.n_classes:
            message = "The model has no class head, so there is no prediction that pruning could change."
            raise ChoiceError(message, hint="Compute a study of a model with classes, or put a linear head on it.")
        makes_a = bool(heads.any()) and makes_attention(self.model, mode)
        most = min(self._rows, images_at_once(spec)) if makes_a else self._rows
        found: list[np.ndarray] = []
        with self._running(), without_set(self.model, heads, mode):
            for rows in chunks(len(images), 1, most):
                logits = self.model.module(images[rows].to(self.model.device))
                found.append(_array(logits.float().softmax(-1)))
        return np.concatenate(found)

    @abstractmethod
    def _clean(self, images: Tensor, on_attention: OnAttention | None = None) -> Clean:
        """Run without pruning."""

    @abstractmethod
    def _prune_each(self, clean: Clean, prunings: Sequence[HeadPruning]) -> Outcome:
        """Prune one layer in several ways, one pruning a way."""

    @abstractmethod
    def _run_from(self, clean: Clean, layer: int) -> Tensor:
        """Run again from a layer, or from before it, to the model's output; hooks see all that runs."""

    @contextmanager
    def _running(self, *, with_gradient: bool = False) -> Iterator[None]:
        """Hold the model, and compute with the wanted precision; with float32 instead of float16 for a gradient."""
        with self.model.lock, torch.inference_mode(), ExitStack() as settings:
            if self.model.device.type == "cuda":
                settings.enter_context(_products_of_cuda(is_tf32=self.precision == "tf32"))
                if self.precision == "fp16" and not with_gradient:
                    settings.enter_context(HalfProducts())
            yield

    def _recent(self, image: Tensor, layer: int, *, to_output: bool) -> Clean:  # noqa: ARG002 - for engines that can stop
        """A run without pruning at least up to a layer, which may be remembered from the call before."""
        return self._clean(image)

    def _probabilities(self, logits: Tensor | None) -> np.ndarray | None:
        if logits is None or not self.model.spec.n_classes:
            return None
        return _array(logits.float().softmax(-1))

    def _mode_table(
        self, clean: Clean, heads: Sequence[Sequence[tuple[int, int]]], *, unpruned: np.ndarray | None = None
    ) -> ModeTable:
        """Six modes of heads ``heads[a][b]``, all of ``heads[a]`` in one layer."""
        modes = [int(mode) for mode in self.modes_defined]
        parts: dict[str, list[Tensor]] = {"layer": [], "logits": []}
        for of_layer in heads:
            prunings = [HeadPruning(*head, mode.regions) for head in of_layer for mode in self.modes_defined]
            outcome = self._prune_each(clean, prunings)
            for name, values in outcome._asdict().items():
                if values is not None:
                    parts[name].append(values.unflatten(1, (len(of_layer), -1)))
        metrics = _among_modes(_padded(parts["layer"]), modes)
        # No pruning changes nothing; a model without CLS has no distance of CLS, and a head that is not there has none.
        metrics[..., 0, :] = metrics[..., 1, :] * 0
        probabilities = None
        if self.model.spec.n_classes:
            logits = _among_modes(_padded(parts["logits"]), modes)
            if unpruned is None:
                has_head = ~metrics[..., 1, :].isnan().all(-1, keepdim=True)
                logits[..., 0, :] = clean.output[:, None, None].where(has_head, torch.nan)
            probabilities = self._probabilities(logits)
            if probabilities is not None and unpruned is not None:
                probabilities[..., 0, :] = unpruned
        return ModeTable(probabilities, by_metric(metrics))


def images_at_once(spec: ViTSpec) -> int:
    """How many images' attention of one layer fit into `ATTENTION_BYTES`, at least 1."""
    return max(1, ATTENTION_BYTES // (4 * spec.n_heads * spec.grid.n_tokens**2))


def chunks(total: int, rows: int, limit: int) -> Iterator[slice]:
    """Slices of ``range(total)`` of at most ``limit // rows`` (but at least 1), each a step that can be stopped."""
    most = max(1, limit // rows)
    # As even as can be: a last one of few rows would be slow.
    size = -(-total // -(-total // most))
    for start in range(0, total, size):
        step()
        yield slice(start, min(start + size, total))


@contextmanager
def _products_of_cuda(*, is_tf32: bool) -> Iterator[None]:
    """Let products and convolutions have TF32 factors or not; torch by itself lets convolutions."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if is_tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = is_tf32
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


@contextmanager
def _pruned(site: AttentionSite, prunings: Sequence[HeadPruning], grid: object) -> Iterator[None]:
    """Set regions of heads of a layer to 0 while the model runs."""
    if not prunings:
        yield
        return

    def edit(weights: Tensor) -> Tensor:
        weights = weights.clone()
        for pruning in prunings:
            mask = torch.from_numpy(pruning_mask(grid, pruning.regions)).to(weights.device)
            weights[:, pruning.head].masked_fill_(mask, 0)
        return weights

    with site.weights_hook(edit):
        yield


def _among_modes(values: Tensor, modes: list[int]) -> Tensor:
    """Values ``(…, len(modes), size)`` of some modes among those of all six, NaN for the others."""
    result = values.new_full((*values.shape[:-2], len(PruningMode), values.shape[-1]), torch.nan)
    result[..., modes, :] = values
    return result


def _stacked(values: Sequence[Tensor | None]) -> Tensor | None:
    present = [value for value in values if value is not None]
    return _padded(present) if present else None


def _padded(layers: Sequence[Tensor]) -> Tensor:
    """Values ``(n, heads of the layer, …)`` side by side, NaN where a layer has less heads than another."""
    most = max(values.shape[1] for values in layers)
    result = layers[0].new_full((len(layers[0]), len(layers), most, *layers[0].shape[2:]), torch.nan)
    for layer, values in enumerate(layers):
        result[:, layer, : values.shape[1]] = values
    return result


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
