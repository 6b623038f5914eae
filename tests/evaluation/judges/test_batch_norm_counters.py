import pytest
import torch
from torch import nn

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.checkpoint_file import load_strictly


def test_counters_of_old_files_may_be_absent():
    network, state = nn.BatchNorm2d(2), nn.BatchNorm2d(2).state_dict()
    del state["num_batches_tracked"]
    state["weight"] = torch.tensor([3.0, 4.0])
    load_strictly(network, state, "old.pkl")
    assert network.weight.tolist() == [3, 4]


def test_nothing_else_may_be_absent():
    state = nn.BatchNorm2d(2).state_dict()
    del state["running_mean"]
    with pytest.raises(CheckpointError, match="missing running_mean"):
        load_strictly(nn.BatchNorm2d(2), state, "old.pkl")
