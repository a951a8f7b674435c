"""Products of float16 factors, against the same with the factors rounded beforehand."""

from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from tests.pruned_families import create_family, random_images
from vitpanel.models.ablation import HookAblation, RestartAblation
from vitpanel.models.ablation.products import HalfProducts

N, M, K = 5, 7, 6


def rounded(values: torch.Tensor) -> torch.Tensor:
    return values.half().double()


@pytest.fixture
def parts() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"a": (2, N, K), "b": (2, K, M), "c": (2, N, M)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def in_place(c: torch.Tensor, a: torch.Tensor, b: torch.Tensor, **options: Any) -> torch.Tensor:
    target = c.clone()
    assert target.addmm_(a, b, **options) is target
    return target


def into(c: torch.Tensor, a: torch.Tensor, b: torch.Tensor, **options: Any) -> torch.Tensor:
    target = torch.empty_like(c)
    torch.addmm(c, a, b, out=target, **options)
    return target


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda a, b, c: a[0] @ b[0], lambda ab, c: ab[0]),
        (lambda a, b, c: a @ b, lambda ab, c: ab),
        (lambda a, b, c: functional.linear(a, b[0].T, c[0, 0]), lambda ab, c: ab + c[0, 0]),
        (lambda a, b, c: torch.einsum("nik,nkj->nij", a, b), lambda ab, c: ab),
        (lambda a, b, c: torch.baddbmm(c, a, b, alpha=0.5, beta=2), lambda ab, c: 2 * c + 0.5 * ab),
        (lambda a, b, c: in_place(c[0], a[0], b[0], alpha=-1), lambda ab, c: c[0] - ab[0]),
        (lambda a, b, c: into(c[0], a[0], b[0], alpha=-1), lambda ab, c: c[0] - ab[0]),
    ],
)
@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad])
def test_factors_are_rounded_and_sums_are_not(parts: dict[str, torch.Tensor], run: Any, expected: Any, context: Any):
    parts = parts | {"b": parts["b"][:1].expand(2, K, M).contiguous()}
    with context(), HalfProducts():
        result = run(**parts)
    exact = expected(rounded(parts["a"]) @ rounded(parts["b"]), parts["c"].double())
    assert result.dtype == torch.float32
    assert (result - exact).abs().max() < 2e-6
    assert (result - expected(parts["a"].double() @ parts["b"].double(), parts["c"].double())).abs().max() > 1e-5


@pytest.mark.parametrize("mask", [None, torch.linspace(-1, 1, N * N).view(N, N)])
def test_fused_attention(mask: torch.Tensor | None):
    q, k, v = torch.randn((3, 2, 3, N, 8), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode(), HalfProducts():
        result = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.4)
    weights = (rounded(q) @ rounded(k).mT * 0.4 + (0 if mask is None else mask)).softmax(-1)
    assert result.dtype == torch.float32
    assert (result - weights @ rounded(v)).abs().max() < 3e-3
    assert (result - functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.4)).abs().max() > 1e-5


def test_all_else_is_left_alone(parts: dict[str, torch.Tensor]):
    image, weight = torch.randn(1, 3, 8, 8), torch.randn(4, 3, 4, 4)
    double = parts["a"].double()
    with HalfProducts():
        assert torch.allclose(double @ double.mT, torch.matmul(double, double.mT), rtol=1e-12)
        convolved = functional.conv2d(image, weight)
        scaled = parts["a"] * 1.0001
    assert torch.allclose(convolved, functional.conv2d(image, weight), atol=1e-6)
    assert torch.equal(scaled, parts["a"] * 1.0001)
    with HalfProducts():
        assert (double @ double.mT).dtype == torch.float64


def test_what_is_too_large_is_not_finite():
    with HalfProducts():
        assert torch.isinf(torch.full((2, 2), 7e4) @ torch.ones(2, 2)).all()


def test_on_cuda_the_factors_are_half_and_the_product_is_single():
    # There is no GPU here: tensors without content take the same way.
    with FakeTensorMode():
        a, b, c = (torch.empty(shape, device="cuda") for shape in ((N, K), (K, M), (N, M)))
        with HalfProducts():
            results = [a @ b, torch.addmm(c, a, b, alpha=-1), c.addmm_(a, b), functional.linear(a, b.T, c[0])]
            results.append(torch.bmm(a[None], b[None])[0])
    assert {(result.dtype, tuple(result.shape), result.device.type) for result in results} == {
        (torch.float32, (N, M), "cuda")
    }


@pytest.mark.parametrize("engine", [HookAblation, RestartAblation])
@pytest.mark.parametrize("family", ["plain", "pooled", "LayerScale"])
def test_importance_errs_by_little_and_in_the_same_way_for_both_engines(tmp_path: Any, family: str, engine: Any):
    model = create_family(family, tmp_path)
    images = random_images(model, 2)
    exact = engine(model, 8).leave_one_out(images, lambda *_: None)
    with HalfProducts():
        half = engine(model, 8).leave_one_out(images, lambda *_: None)
    change = np.abs(exact.pruned - exact.probabilities[:, None, None])
    change_of_half = np.abs(half.pruned - half.probabilities[:, None, None])
    relative = np.abs(change - change_of_half).sum() / change.sum()
    assert 1e-6 < relative < 1e-2
    assert np.abs(half.layer["cls"] - exact.layer["cls"]).max() < 1e-2
