import numpy as np
import pytest

from facevox.models.face.warp.lattice import Lattice, invert, invert_steep


@pytest.fixture
def lattice() -> Lattice:
    return Lattice(step=4, left=0, top=0, columns=40, rows=30)


def test_enlarge_keeps_a_linear_field_exact_inside(lattice: Lattice) -> None:
    large = lattice.enlarge(lattice.positions())
    x, y = np.meshgrid(np.arange(lattice.width), np.arange(lattice.height))
    inner = slice(8, -8)
    assert np.abs(large[inner, inner, 0] - x[inner, inner]).max() < 1e-3
    assert np.abs(large[inner, inner, 1] - y[inner, inner]).max() < 1e-3


def test_sample_at_nodes_returns_the_field(lattice: Lattice) -> None:
    field = np.random.default_rng(0).normal(size=(30, 40, 2)).astype(np.float32)
    assert np.allclose(lattice.sample(field, lattice.positions()), field, atol=1e-5)


def test_block_is_aligned_and_clipped(lattice: Lattice) -> None:
    block = lattice.block((-10.0, 5.0, 33.0, 1000.0))
    assert (block.left, block.top) == (0, 4)
    assert block.left + block.width >= 33
    assert block.top + block.height == lattice.height
    rows, columns = block.slices_in(lattice)
    assert np.array_equal(lattice.positions()[rows, columns], block.positions())


def test_invert_undoes_a_smooth_movement(lattice: Lattice) -> None:
    nodes = lattice.positions()
    field = np.dstack([3 * np.sin(nodes[..., 1] / 30), 4 * np.cos(nodes[..., 0] / 40)])
    field = field.astype(np.float32)
    back = invert(field, lattice, nodes, iterations=8)
    origin = nodes + back
    forward = origin + lattice.sample(field, origin)
    assert np.abs(forward - nodes)[3:-3, 3:-3].max() < 0.05


def test_steep_fields_are_inverted_too(lattice: Lattice) -> None:
    nodes = lattice.positions()
    down = 40 / (1 + np.exp(-(nodes[..., 1] - 60) / 5))  # stretches threefold
    field = np.dstack([np.zeros_like(down), down]).astype(np.float32)
    origin = nodes + invert_steep(field, lattice, nodes, iterations=8)
    forward = origin + lattice.sample(field, origin)
    assert np.abs(forward - nodes)[3:-14, 3:-3].max() < 0.3
