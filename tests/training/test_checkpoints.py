"""Checkpoints: what goes in comes out, whole or not at all."""

import json
import shutil

import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.training.checkpoints import CHECKPOINTS, STATE, Checkpoints, start_from
from facevox.training.random_state import (
    frozen_random_state,
    random_state,
    seed_everything,
    set_random_state,
)
from facevox.training.tree import join_tree, split_tree


def save(store, step, best=None, trees=None):
    store.clear(step)
    store.write_random(step, 0, random_state())
    store.finish(step, trees or {"networks": {"a": torch.ones(3) * step}}, {"step": step}, best)


def draw():
    import random

    import numpy as np

    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_states_of_optimisers_survive(tmp_path):
    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.123456789)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    schedule.step()
    trees = {"o": optimizer.state_dict(), "s": schedule.state_dict()}
    plain, tensors = split_tree(trees)
    back = join_tree(json.loads(json.dumps(plain)), tensors)
    assert back["o"]["param_groups"] == trees["o"]["param_groups"]
    assert back["o"]["state"].keys() == trees["o"]["state"].keys()
    assert torch.equal(back["o"]["state"][0]["exp_avg"], trees["o"]["state"][0]["exp_avg"])
    assert isinstance(back["o"]["param_groups"][0]["betas"], tuple)
    assert {k: v for k, v in back["s"].items()} == trees["s"]


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="/a/0 holds set"):
        split_tree({"a": [{1, 2}]})
    with pytest.raises(TypeError, match="keys"):
        split_tree({"a": 1, 2: 3})


def test_random_states_come_back():
    seed_everything(5, 2)
    state = json.loads(json.dumps(random_state()))
    first = draw()
    assert draw() != first
    set_random_state(state)
    assert draw() == first
    seed_everything(5, 1)
    assert draw() != first


def test_a_frozen_state_leaves_no_trace():
    seed_everything(1)
    first = draw()
    seed_everything(1)
    with frozen_random_state(9):
        inside = draw()
    assert draw() == first != inside
    with frozen_random_state(9):
        assert draw() == inside


def test_newest_and_best_are_kept(tmp_path):
    store = Checkpoints(tmp_path, 2)
    for step in (1, 2, 3, 4):
        save(store, step, best=1)
    assert store.steps() == [1, 3, 4]
    found = store.load_newest(0)
    assert found.numbers == {"step": 4}
    assert torch.equal(found.trees["networks"]["a"], torch.full((3,), 4.0))
    assert found.random is not None
    assert store.load(4, rank=7).random is None


def test_what_was_half_written_does_not_count(tmp_path):
    store = Checkpoints(tmp_path, 2)
    save(store, 1)
    store.clear(2)
    store.write_random(2, 0, random_state())
    assert store.steps() == [1]
    assert store.load_newest(0).numbers == {"step": 1}
    save(store, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000001", "step-000000003"]


@pytest.mark.parametrize("name", ["networks.safetensors", STATE, "random-0.json"])
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_damage_falls_back_and_says_so(tmp_path, name, harm):
    store = Checkpoints(tmp_path, 3)
    save(store, 1)
    save(store, 2)
    path = store.path(2) / name
    path.write_bytes(path.read_bytes()[:-4]) if harm == "cut" else path.unlink()
    said = []
    assert store.load_newest(0, said.append).numbers == {"step": 1}
    (sentence,) = said
    assert "step-000000002 is damaged" in sentence
    assert sentence.endswith("the one before is taken.")
    shutil.rmtree(store.path(1) / STATE, ignore_errors=True)
    (store.path(1) / STATE).unlink()
    with pytest.raises(CheckpointError, match="All 2 checkpoints"):
        store.load_newest(0)


def test_tied_weights_are_kept(tmp_path):
    weight = torch.ones(2)
    store = Checkpoints(tmp_path, 1)
    save(store, 1, trees={"networks": {"a": weight, "b": weight}})
    assert torch.equal(store.load(1).trees["networks"]["b"], weight)


def test_a_run_starts_from_the_averages_of_another(tmp_path):
    other, network = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    average = {name: torch.full_like(v, 3.0) for name, v in other.named_parameters()}
    trees = {"networks": {"n": other.state_dict(), "m": {}}, "averages": {"n": average}}
    save(Checkpoints(tmp_path / CHECKPOINTS, 1), 1, trees=trees)
    start_from({"n": network, "new": torch.nn.Identity()}, tmp_path)
    assert network.weight.item() == 3.0
    with pytest.raises(CheckpointError, match="does not fit 'n'"):
        start_from({"n": torch.nn.Linear(2, 2)}, tmp_path)
    with pytest.raises(CheckpointError, match=r"other networks \(n, m\)"):
        start_from({"x": network}, tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint to start from"):
        start_from({"n": network}, tmp_path / "nothing")
