import pytest
import torch
from made_shards import SYMBOLS, members, write_shards
from safetensors.torch import load_file

from facevox.core.checkpoint import load_card, load_module
from facevox.core.errors import ConfigError, DataError
from facevox.data.shards import Shards
from facevox.data.spoken_samples import read_spoken
from facevox.models.speech.matcha.config import MatchaConfig
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.recipes.matcha import MatchaTask
from facevox.recipes.matcha_batches import BatchMaker
from facevox.recipes.matcha_settings import MatchaSettings
from facevox.training.run import plan_run, start_run

QUICK = ["run.validate_steps=4", "run.log_steps=2", "run.threads=1"]


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return write_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return write_shards(tmp_path_factory.mktemp("faces"), count=3, faces=2)


def train(data, folder, *changes):
    plan = plan_run(
        MatchaTask, data=data, folder=folder, preset="tiny", overrides=[*QUICK, *changes]
    )
    return start_run(plan)


def test_it_trains_and_the_export_is_the_model(shards, tmp_path):
    end = train(shards, tmp_path / "run", "data.sizes=[]")
    assert end.step == 4
    assert {"duration", "prior", "frame_prior", "cfm", "pitch", "voicing"} <= set(end.results)
    path = tmp_path / "run" / "export" / "matcha.safetensors"
    card = load_card(path)
    assert "6 transcribed recordings of 1 speakers" in card["data"]
    network = MatchaTTS(MatchaConfig.model_validate(card["config"]))
    load_module(network, path)


def test_prior_and_flow_are_learnt_one_after_the_other(shards, tmp_path):
    def weights(run):
        state = load_file(tmp_path / run / "export" / "matcha.safetensors")
        inside = {name for name in state if name.startswith("decoder.")}
        return [{n: t for n, t in state.items() if (n in inside) == flow} for flow in (True, False)]

    changes = ["data.sizes=[]", "run.ema=0.0"]
    first = train(shards, tmp_path / "prior", "model.learn=prior", *changes)
    assert "cfm" not in first.results
    assert first.results["frame_prior"] > 0
    begin = [f"run.start_from={tmp_path / 'prior'}", "model.learn=flow"]
    second = train(shards, tmp_path / "flow", *begin, *changes)
    assert second.results["cfm"] > 0
    (before, rest), (after, rest_after) = weights("prior"), weights("flow")
    assert all(torch.equal(rest[name], rest_after[name]) for name in rest)
    assert not all(torch.equal(before[name], after[name]) for name in before)


def test_log_mels_are_cut_at_the_floor():
    sample = read_spoken(members()[0], "a")
    cut = BatchMaker(MatchaSettings.model_validate({"data": {"floor": -3.0}})).make([sample], None)
    full = BatchMaker(MatchaSettings.model_validate({"data": {"floor": -20.0}})).make(
        [sample], None
    )
    assert float(full.mel.min()) < -3.0
    assert torch.equal(cut.mel, full.mel.clamp(min=-3.0))


def test_a_corpus_that_counts_nothing_is_left_out(shards, tmp_path):
    with pytest.raises(DataError, match=r"data\.weights leaves no recording"):
        train(shards, tmp_path / "run", 'data.weights={"made": 0}')


def test_shards_that_do_not_say_the_corpus_are_refused(shards, tmp_path, monkeypatch):
    task = MatchaTask(MatchaSettings(), shards)
    data = Shards(shards, "train")
    without = [{k: v for k, v in entry.items() if k != "corpus"} for entry in data.entries]
    monkeypatch.setattr(data, "entries", without)
    with pytest.raises(DataError, match="does not say which corpus"):
        task._drawn(data)


def test_a_voice_from_the_face_trains(faces, tmp_path):
    end = train(
        faces,
        tmp_path / "run",
        "model.condition=face",
        "model.identity=made_shards:identity_network",
        "model.matcha.speaker_dim=512",
        "data.sizes=[]",
    )
    assert end.step == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["model.condition=face"], "speaker_dim is 192; set it to 512"),
        (["model.matcha.speakers=none"], "model.matcha.speakers=embedding"),
    ],
)
def test_sizes_that_do_not_fit_the_condition_are_refused(shards, tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        train(shards, tmp_path / "run", *changes)


def test_a_face_without_network_or_picture_is_refused():
    model = {"condition": "face", "matcha": {"speakers": "embedding", "speaker_dim": 512}}
    maker = BatchMaker(MatchaSettings.model_validate({"model": model}))
    with pytest.raises(DataError, match="no picture of a face"):
        maker.make([read_spoken(members()[0], "a")], None)
    with pytest.raises(ConfigError, match=r"model\.identity"):
        maker.make([read_spoken(members(faces=1)[0], "a")], None)


def test_batches_fit_the_model_and_a_drawing_is_repeatable():
    import numpy as np

    samples = [read_spoken(members(seed)[0], "a") for seed in (1, 2)]
    maker = BatchMaker(MatchaSettings())
    plain = maker.make(samples, None)
    plain.check()
    assert plain.ids.shape == (2, len(SYMBOLS))
    assert plain.mel.shape[1:] == (80, int(plain.mel_lengths.max()))
    norms = plain.speaker_embedding.norm(dim=1)
    assert torch.allclose(norms, torch.ones(2), atol=1e-5)
    one, two = (maker.make(samples, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one.mel, two.mel)
    assert torch.equal(one.speaker_embedding, two.speaker_embedding)


@pytest.mark.parametrize("missing", ["flac", "durations.npy", "json"])
def test_a_sample_with_a_part_missing_is_refused(missing):
    files, _ = members()
    del files[missing]
    with pytest.raises(DataError, match="sample a cannot be read"):
        read_spoken(files, "a")


def test_parts_that_do_not_fit_are_refused():
    files, _ = members(1)
    files["f0.npy"] = members(2)[0]["f0.npy"]
    with pytest.raises(DataError, match="do not fit"):
        read_spoken(files, "a")
