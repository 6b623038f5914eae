"""Batches: complete, even, and a pure function of their number."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facevox.core.errors import DataError
from facevox.training.batches import DrawnBatches, PackedBatches, plan_batches, read_batches

LENGTHS = np.random.default_rng(0).integers(20, 400, 200).tolist()


def packed(**options):
    rules = {"budget": 2000, "seed": 3, **options}
    return PackedBatches(LENGTHS, lambda i, g: (list(i), float(g.uniform())), **rules)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=60),
    st.integers(1, 1000),
    st.integers(0, 5),
    st.one_of(st.none(), st.integers(1, 8)),
    st.booleans(),
)
def test_every_clip_comes_once_and_batches_fit(lengths, budget, epoch, max_clips, shuffle):
    plan = plan_batches(lengths, budget, seed=1, epoch=epoch, max_clips=max_clips, shuffle=shuffle)
    assert sorted(i for batch in plan for i in batch) == list(range(len(lengths)))
    for batch in plan:
        size = len(batch) * max(lengths[i] for i in batch)
        assert size <= budget or len(batch) == 1
        assert max_clips is None or len(batch) <= max_clips


def test_little_is_padded():
    plan = plan_batches(LENGTHS, 4000, seed=0)
    padded = sum(len(batch) * max(LENGTHS[i] for i in batch) for batch in plan)
    assert sum(LENGTHS) / padded > 0.85


def test_epochs_differ_and_seeds_repeat():
    plans = [
        plan_batches(LENGTHS, 2000, seed=seed, epoch=e) for seed, e in ((0, 0), (0, 1), (1, 0))
    ]
    assert plans[0] != plans[1] != plans[2] != plans[0]
    assert plans[0] == plan_batches(LENGTHS, 2000, seed=0, epoch=0)


def test_a_batch_depends_on_its_number_alone():
    forward, backward = packed(), packed()
    count = 3 * len(forward)
    one = [forward[k] for k in range(count)]
    other = [backward[k] for k in reversed(range(count))][::-1]
    assert one == other
    assert len({noise for _, noise in one}) == count


def test_validation_has_one_order():
    batches = packed(shuffle=False)
    size = len(batches)
    assert [batches.indices(k) for k in range(size)] == [
        batches.indices(size + k) for k in range(size)
    ]
    assert sorted(i for indices, _ in batches for i in indices) == list(range(len(LENGTHS)))


@pytest.mark.parametrize("workers", [0, 1])
def test_processes_share_batches_and_go_on_anywhere(workers):
    batches = packed()
    shares = [
        list(islice(read_batches(batches, start=4, rank=rank, world=3, workers=workers), 5))
        for rank in range(3)
    ]
    taken = [batch for turn in zip(*shares, strict=True) for batch in turn]
    assert taken == [batches[k] for k in range(4, 19)]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fault_keeps_its_sentence(workers):
    def load(indices, generator):
        raise DataError("Torn.")

    batches = PackedBatches(LENGTHS, load, budget=2000, seed=0)
    with pytest.raises(DataError, match=r"^Torn\.$"):
        next(read_batches(batches, start=0, rank=0, world=1, workers=workers))


def test_drawn_batches_depend_on_their_number_alone():
    batches = DrawnBatches(lambda g: float(g.uniform()), seed=0, epoch=4)
    assert len(batches) == len(list(batches)) == 4
    assert batches[7] == batches[7] != batches[8]


def test_no_clip_is_an_error():
    with pytest.raises(DataError, match="not one clip"):
        plan_batches([], 100, seed=0)
