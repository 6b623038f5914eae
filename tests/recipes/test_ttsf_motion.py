import numpy as np
import pytest
import torch
from made_spoken import made_utterance, write_spoken

from facevox.core.checkpoint import load_card, load_module
from facevox.core.errors import CheckpointError, ConfigError, DataError
from facevox.data.spoken_mouths import FILMED, read_spoken_mouths, write_utterance
from facevox.models.face.ttsf.motion_sampler import MotionSampler
from facevox.models.face.ttsf.sampler_config import MotionSamplerConfig, tiny
from facevox.recipes.ttsf_lips import LipsTask
from facevox.recipes.ttsf_motion import SCALE, MotionTask, liveliness
from facevox.recipes.ttsf_motion_settings import SIZES
from facevox.training.run import plan_run, start_run
from facevox.training.settings import resolve

QUICK = ["run.validate_steps=9", "run.log_steps=2", "run.threads=1", "run.checkpoint_steps=2"]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return write_spoken(tmp_path_factory.mktemp("made") / "spoken")


def train(data, folder, *changes, kind=MotionTask, resume=False):
    plan = plan_run(
        kind,
        data=data,
        folder=folder,
        preset=None if resume else "tiny",
        overrides=[*([] if resume else QUICK), *changes],
        resume=resume,
    )
    return start_run(plan)


@pytest.fixture(scope="module")
def lips(spoken, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lips") / "run"
    train(spoken, folder, kind=LipsTask)
    return folder / "export"


def weights_of(run):
    return (run / "export" / "motion_sampler.safetensors").read_bytes()


def task_of(folder, *changes):
    config = resolve(
        MotionTask.Config, presets=MotionTask.presets, preset="tiny", overrides=changes
    )
    return MotionTask(config, folder)


def test_it_trains_goes_on_exactly_and_exports_the_sampler(spoken, lips, tmp_path):
    end = train(spoken, tmp_path / "run", f"model.lips_from={lips}")
    assert {"distance", "head_spread", "gaze_step", "blinks", "recorded_blinks"} <= set(end.results)
    whole = weights_of(tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "step-000000004"
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    train(spoken, tmp_path / "run", resume=True)
    assert weights_of(tmp_path / "run") == whole
    path = tmp_path / "run" / "export" / "motion_sampler.safetensors"
    card = load_card(path)
    sampler = MotionSampler(MotionSamplerConfig.model_validate(card["config"]))
    load_module(sampler, path)
    assert sampler.config == tiny().model_copy(update=SIZES)
    assert int(sampler.normaliser.updates) == 4
    assert card["scale"] == list(SCALE)
    assert card["lips_scale"][6] == 10


def test_lips_are_heard_as_the_mapper_says_them(spoken, lips, tmp_path):
    measured, heard = task_of(spoken), task_of(spoken, f"model.lips_from={lips}")
    batches = [task.batches("train")[0] for task in (measured, heard)]
    assert torch.equal(batches[0]["numbers"], batches[1]["numbers"])
    assert not torch.equal(batches[0]["lips"], batches[1]["lips"])
    with pytest.raises(CheckpointError, match="lips"):
        task_of(spoken, f"model.lips_from={tmp_path}").batches("train")


def test_held_out_clips_are_never_trained_on(tmp_path):
    folder = write_spoken(tmp_path / "spoken")
    train(folder, tmp_path / "one")
    for one in read_spoken_mouths(folder, held=True):
        write_utterance(folder, made_utterance(one.name, one.kind, 40, seed=77))
    train(folder, tmp_path / "two")
    assert weights_of(tmp_path / "one") == weights_of(tmp_path / "two")


def test_windows_have_no_frame_that_was_not_seen(tmp_path):
    folder = write_spoken(tmp_path / "spoken", kinds=(FILMED,), each=5, frames=30)
    for k in (0, 1, 2):
        one = made_utterance(f"{FILMED}-{k}", FILMED, 30, seed=k)
        one.known[10 : 15 + 8 * (k == 1)] = False
        one.others[~one.known] = 99
        write_utterance(folder, one)
    batches = task_of(folder).batches("train")
    for number in range(6):
        batch = batches[number]
        assert batch["numbers"].shape[1] in (8, 12)
        assert batch["numbers"].abs().max() < 9


def test_mirrors_turn_what_has_a_side(spoken):
    batches = [task_of(spoken, f"data.mirror={share}").batches("train")[0] for share in (0, 1)]
    signs = torch.tensor([-1, 1, -1, 1, 1, -1, 1, 1, 1.0])
    assert torch.equal(batches[0]["numbers"] * signs, batches[1]["numbers"])


def test_drawing_does_not_depend_on_company(spoken):
    task = task_of(spoken)
    torch.manual_seed(0)
    network = task.networks()["motion"].eval()
    generator = torch.Generator().manual_seed(1)
    lips = torch.randn(2, 20, 9, generator=generator)
    mask = torch.arange(20) < torch.tensor([[20], [13]])
    with torch.no_grad():
        both = network.draw(lips, mask, [3, 4])
        alone = network.draw(lips[1:, :13], mask[1:, :13], [4])
        again = network.draw(lips[1:, :13], mask[1:, :13], [4])
    assert torch.equal(alone, again)
    assert torch.allclose(both[1, :13], alone[0], atol=1e-5)
    assert not both[1, 13:].any()


class TestLiveliness:
    def clip(self, size=1.0):
        return made_utterance(kind=FILMED, frames=40).others * np.array(SCALE, np.float32) * size

    def test_the_recording_beside_itself_is_right(self):
        found = liveliness([self.clip()], [self.clip()], [np.ones(40, bool)])
        assert found["distance"] == pytest.approx(0, abs=1e-6)
        assert found["head_spread"] == found["gaze_step"] == pytest.approx(1)
        assert found["blinks"] == found["recorded_blinks"] == pytest.approx(1500 / 39)

    def test_half_the_motion_is_half(self):
        found = liveliness([self.clip(0.5)], [self.clip()], [np.ones(40, bool)])
        assert found["brows_spread"] == found["head_step"] == pytest.approx(0.5)
        assert found["distance"] == pytest.approx(np.log(2), rel=1e-5)

    def test_frames_that_were_not_seen_do_not_count(self):
        known = np.ones(40, bool)
        known[10:14] = False
        made = self.clip()
        made[~known] = 9
        found = liveliness([made], [self.clip()], [known])
        assert found["distance"] == pytest.approx(0, abs=1e-6)


def test_wrong_folders_and_settings_are_explained(spoken, tmp_path):
    with pytest.raises(DataError, match=r"facevox\.recipes\.spoken_mouths"):
        task_of(tmp_path).batches("train")
    unfilmed = write_spoken(tmp_path / "unfilmed", kinds=("matcha",))
    with pytest.raises(DataError, match="no filmed head"):
        task_of(unfilmed).batches("train")
    with pytest.raises(DataError, match="no head for 40 frames in a row"):
        task_of(spoken, "data.lengths=[40, 50]").batches("train")
    with pytest.raises(ConfigError, match="style_dim 9 and motion_dim 9"):
        task_of(spoken, "model.sampler.motion_dim=20")


def test_gradients_reach_every_weight(spoken):
    task = task_of(spoken)
    torch.manual_seed(0)
    network, batch = task.networks()["motion"], task.batches("train")[0]
    for parameter in network.parameters():
        if not parameter.detach().abs().sum():
            torch.nn.init.normal_(parameter, std=0.05)
    losses = network(batch["numbers"], batch["lips"], batch["mask"])
    assert set(losses) == {"cfm", "ae", "prior"}
    sum(losses.values()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
