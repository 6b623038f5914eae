import json
import math

import numpy as np
import pytest
import torch
from made_faces import write_faces
from made_talking_shards import write_talking_shards

from facevox.core.checkpoint import save_checkpoint
from facevox.models.face.ttsf.sync_expert import tiny as tiny_expert
from facevox.recipes.sync import random_sync_expert
from facevox.recipes.ttsf_ablations import VARIANTS, run_ablations, to_markdown
from facevox.recipes.ttsf_measures import sync_score


def test_the_paper_s_variants_are_there():
    changes = [" ".join(change) for change in VARIANTS.values()]
    assert changes == [
        "",
        "model.mapper.energy=false",
        "model.mapper.energy=false model.mapper.text=false",
        "model.voice=feature",
    ]


def test_two_variants_become_a_table(tmp_path):
    folder = tmp_path / "sync"
    folder.mkdir()
    state = random_sync_expert(tiny_expert()).state_dict()
    save_checkpoint(folder / "sync.safetensors", state, {"config": tiny_expert().model_dump()})
    settings = ["run.steps=1", "run.threads=1", "loss.identity=0", "loss.vgg=0"]
    path = run_ablations(
        write_talking_shards(tmp_path / "shards", count=2),
        tmp_path / "out",
        preset="tiny",
        overrides=[*settings, f"model.sync_from={folder}"],
        variants=("no energy", "voice with motion"),
        clips=2,
        frames=12,
        sync=folder,
        faces=write_faces(tmp_path / "faces"),
    )
    lines = path.read_text().splitlines()
    assert lines[0].startswith("| variant | clips | sync confidence | offset within 1 |")
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| no energy", "| voice with motion"]
    assert "1 steps" in path.read_text()
    rows = json.loads((tmp_path / "out" / "ablations.json").read_text())
    for row in rows.values():
        assert row["clips"] == 2
        assert row["sync confidence"] >= 0
        assert 0 <= row["smile: same person"] <= 2
        assert math.isnan(row["voice between speakers"])  # one speaker only
        assert row["tts"] > 0


def test_a_table_shows_what_is_missing_as_a_dash():
    table = to_markdown({"a": {"x": 0.25}, "b": {"x": math.nan, "y": 2.0}}, 7)
    assert "| a | 0.25 | - |" in table
    assert "| b | - | 2 |" in table


@pytest.mark.parametrize("late", [-3, 0, 4])
def test_the_offset_of_shifted_sound_is_found(late):
    generator = torch.Generator().manual_seed(0)
    unit = torch.nn.functional.normalize(torch.randn(60, 16, generator=generator), dim=1)
    seen, heard = unit[10:50], unit[10 - late : 50 - late]
    confidence, offset = sync_score(seen, heard)
    assert offset == late
    assert confidence > 0.5
    assert np.isclose(sync_score(seen, seen.roll(20, 0))[0], 0, atol=0.4)
