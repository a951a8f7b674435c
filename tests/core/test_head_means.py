"""Sums of attention over images, and one head of several images."""

import numpy as np

from vitpanel.core.head_means import AttentionSum, ModesOfImages


def test_a_mean_is_that_of_all_images_however_they_were_grouped(rng: np.random.Generator):
    attention = rng.dirichlet(np.ones(5), (7, 2, 3, 5)).astype(np.float32)  # images, layers, heads, tokens
    found = AttentionSum()
    for some in (attention[:1], attention[1:5], attention[5:]):
        found = found.joined(AttentionSum(len(some), {4: some[:, 0].sum(0), 6: some[:, 1].sum(0)}))
    assert len(found) == 7
    assert found.nbytes == 2 * 3 * 5 * 5 * 4
    for at, layer in enumerate((4, 6)):
        for head in range(3):
            mean = found.mean(layer, head)
            assert mean.dtype == np.float32
            slow = [[np.mean([a[at, head, i, j] for a in attention.astype(float)]) for j in range(5)] for i in range(5)]
            assert np.allclose(mean, slow, atol=1e-7)
            assert np.allclose(mean.sum(1), 1, atol=1e-6)


def test_images_are_joined_in_their_order():
    one = ModesOfImages(np.array([5]), {"jsd": np.full((1, 6), 0.5)})
    two = ModesOfImages(np.array([2, 7]), {"jsd": np.arange(12.0).reshape(2, 6)})
    found = ModesOfImages.none().joined(one).joined(two)
    assert found.images.tolist() == [5, 2, 7]
    assert found.drawn["jsd"].tolist() == [[0.5] * 6, *two.drawn["jsd"].tolist()]
    assert len(ModesOfImages.none()) == 0
    assert found.nbytes == found.images.nbytes + found.drawn["jsd"].nbytes
