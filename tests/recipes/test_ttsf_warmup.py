import json

import pytest
import torch
from made_faces import write_faces

from facevox.core.checkpoint import load_card, load_checkpoint
from facevox.core.errors import CheckpointError, ConfigError, DataError
from facevox.models.face.lia.config import GeneratorConfig
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.ttsf.talking_head import tiny as tiny_head
from facevox.recipes.growing import fit_first_block, grow, load_generator
from facevox.recipes.head_parts import PARTS
from facevox.recipes.ttsf_warmup import WarmUpTask
from facevox.training.run import plan_run, start_run
from facevox.training.settings import resolve

QUICK = ["run.validate_steps=9", "run.log_steps=2", "run.threads=1"]


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return write_faces(tmp_path_factory.mktemp("faces"))


def train(data, folder, *changes, resume=False):
    plan = plan_run(
        WarmUpTask,
        data=data,
        folder=folder,
        preset=None if resume else "tiny",
        overrides=[*([] if resume else QUICK), *changes],
        resume=resume,
    )
    return start_run(plan)


@pytest.fixture(scope="module")
def trained(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "whole"
    return folder, train(faces, folder)


def test_it_trains_and_the_export_is_the_generator(trained):
    folder, end = trained
    assert end.step == 4
    assert {"picture", "told", "copied"} == set(end.results)
    network = load_generator(folder / "export" / "generator.safetensors")
    assert network.config == tiny_head().generator
    card = load_card(folder / "export" / "generator.safetensors")
    assert card["kind"] == "face-generator"
    assert card["data"].startswith("3 photos of 2 people, moved; GRID s1")
    for part in ("mouth", "motion", "seen"):
        assert (folder / "export" / f"{part}.safetensors").exists()


def test_it_goes_on_exactly_where_it_was(faces, trained, tmp_path):
    folder, _ = trained
    train(faces, tmp_path / "cut", "run.steps=4", "run.minutes=0.00001")
    early = train(faces, tmp_path / "two", "run.checkpoint_steps=2", "run.steps=2")
    assert early.step == 2
    # the schedule knows the length of the run, so the one to compare with is as long
    one = tmp_path / "one"
    train(faces, one, "run.checkpoint_steps=2")
    import shutil

    shutil.rmtree(one / "checkpoints" / "step-000000004")
    train(faces, one, resume=True)
    wanted = load_generator(folder / "export" / "generator.safetensors").state_dict()
    found = load_generator(one / "export" / "generator.safetensors").state_dict()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def wake(network):
    """Fill what begins at zero, behind which nothing would learn in the first step."""
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.abs().sum():
                parameter.normal_(std=0.05)
    return network


def made_step(task, faces):
    """Return networks and losses of one batch, without the loop."""
    torch.manual_seed(0)
    networks = task.networks()
    batch = task.batches("train")[0]
    face = wake(networks["face"])
    names = ("source", "driver", "mouth", "change", "place")
    made = face(*(batch[name] for name in names))
    return networks, task.losses(made, batch)


def settled(*changes):
    return resolve(WarmUpTask.Config, presets=WarmUpTask.presets, preset="tiny", overrides=changes)


def test_gradients_reach_every_weight(faces):
    task = WarmUpTask(settled(), faces)
    networks, losses = made_step(task, faces)
    sum(task.weight_of(name) * loss for name, loss in losses.items()).backward()
    for name, parameter in networks["face"].named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    "name", ["picture", "painted", "controls", "contrast", "traits", "flow", "mask", "cover"]
)
def test_each_loss_can_be_left_out(faces, name):
    task = WarmUpTask(settled(f"loss.{name}=0"), faces)
    _, losses = made_step(task, faces)
    everything = {"picture", "painted", "controls", "contrast", "traits", "flow", "mask", "cover"}
    assert set(losses) == everything - {name}
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_mean_flows_need_something_that_moves_the_mouth(faces):
    with pytest.raises(ConfigError, match=r"set model\.lips=true"):
        WarmUpTask(settled("model.lips=false"), faces).networks()


def test_missing_judges_turn_their_losses_off(faces, tmp_path, monkeypatch):
    monkeypatch.setenv("FACEVOX_JUDGES", str(tmp_path))
    task = WarmUpTask(settled("judged.vgg=1"), faces)
    with pytest.warns(UserWarning, match="The loss 'vgg' is off: judge vgg19 missing"):
        task.networks()
    task = WarmUpTask(settled("judged.vgg=1", "judged.missing=refuse"), faces)
    with pytest.raises(ConfigError, match="The loss 'vgg' has no judge"):
        task.networks()


def test_the_published_stage_has_neither_lips_nor_numbers():
    config = resolve(WarmUpTask.Config, presets=WarmUpTask.presets, preset="paper")
    assert config.model.generator.content == "warped"
    assert (config.loss.picture, config.judged.vgg, config.loss.adversarial) == (1, 50, 1)
    assert not config.model.lips


class TestStartingFromTheSameSize:
    def test_all_parts_are_taken_over(self, faces, trained):
        folder, _ = trained
        task = WarmUpTask(settled(f"model.start_from={folder / 'export'}"), faces)
        face = task.networks()["face"]
        for part in PARTS:
            wanted = load_checkpoint(folder / "export" / f"{part}.safetensors")
            found = getattr(face, part).state_dict()
            assert set(found) == set(wanted)
            assert all(torch.equal(found[n], torch.from_numpy(wanted[n])) for n in wanted)

    def test_other_sizes_and_two_beginnings_are_refused(self, faces, trained, tmp_path):
        export = trained[0] / "export"
        sizes = {**tiny_head().generator.model_dump(), "motion_dim": 8}
        changes = (f"model.generator={json.dumps(sizes)}", f"model.start_from={export}")
        with pytest.raises(ConfigError, match=r"differs in motion_dim; give model\.generator"):
            WarmUpTask(settled(*changes), faces).networks()
        with pytest.raises(ConfigError, match="A run begins with one export"):
            settled(f"model.grow_from={export}", f"model.start_from={export}")
        with pytest.raises(CheckpointError, match=r"Cannot read the card .*generator\.json"):
            WarmUpTask(settled(f"model.start_from={tmp_path}"), faces).networks()


def test_without_acted_portraits_it_says_how_to_make_them(tmp_path):
    with pytest.raises(DataError, match=r"facevox\.recipes\.acted_portraits"):
        train(tmp_path, tmp_path / "run")


class TestGrowing:
    @pytest.fixture
    def pair(self):
        torch.manual_seed(0)
        like = {"content": "fused", "pixel_skip": True, "style_dim": 16, "motion_dim": 4}
        channels = {4: 8, 8: 8, 16: 8, 32: 4, 64: 2}
        small, large = (
            FaceGenerator(
                GeneratorConfig(
                    size=size, channels={s: c for s, c in channels.items() if s <= size}, **like
                )
            )
            for size in (32, 64)
        )
        return small, large

    def test_the_larger_one_knows_what_the_smaller_knew(self, pair):
        small, large = pair
        grow(small, large)
        generator = torch.Generator().manual_seed(0)

        def pictures(step):
            return torch.rand(4, 3, 64, 64, generator=generator) * 2 - 1

        before = fit_first_block(small, large, pictures, 1)
        after = fit_first_block(small, large, pictures, 60)
        assert after < 0.8 * before
        assert torch.equal(small.encoder.head.weight, large.encoder.head.weight)
        assert torch.equal(small.extractor.dictionary.weight, large.extractor.dictionary.weight)

    def test_only_twins_of_half_the_size_will_do(self, pair):
        small, large = pair
        with pytest.raises(ConfigError, match="A generator of 32 px grows from one of 16 px"):
            grow(large, small)

    def test_a_run_can_begin_with_half_the_size(self, faces, tmp_path, trained):
        folder, _ = trained
        sizes = tiny_head().generator
        large = {
            **sizes.model_dump(),
            "size": 64,
            "channels": {**sizes.channels, 64: sizes.channels[32]},
        }
        end = train(
            faces,
            tmp_path / "run",
            f"model.generator={json.dumps(large)}",
            f"model.grow_from={folder / 'export'}",
            "model.growing_steps=2",
            "run.steps=1",
        )
        assert end.step == 1
