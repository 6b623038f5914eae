import shutil

import pytest
import torch
from made_shards import write_shards
from made_talking_shards import write_talking_shards

from facevox.core.checkpoint import load_card, load_module, save_checkpoint
from facevox.core.errors import CheckpointError, ConfigError, DataError
from facevox.models.face.lia.config import GeneratorConfig, tiny
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.ttsf.sync_expert import tiny as tiny_expert
from facevox.models.face.ttsf.talking_head import TalkingHead
from facevox.models.face.ttsf.talking_head import tiny as tiny_head
from facevox.models.speech.matcha.config import MatchaConfig
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.recipes.matcha import MatchaTask
from facevox.recipes.sync import random_sync_expert
from facevox.recipes.ttsf import JointTask
from facevox.training.machine import start_fabric
from facevox.training.run import plan_run, start_run
from facevox.training.settings import resolve
from facevox.training.trainer import Trainer

QUICK = ["run.validate_steps=9", "run.log_steps=2", "run.threads=1", "run.checkpoint_steps=2"]
NO_JUDGES = ["loss.identity=0", "loss.vgg=0"]
TERMS = {"rec", "sync", "cfm", "ae", "prior", "tts"}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return write_talking_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="module")
def expert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sync")
    state = random_sync_expert(tiny_expert()).state_dict()
    save_checkpoint(folder / "sync.safetensors", state, {"config": tiny_expert().model_dump()})
    return f"model.sync_from={folder}"


def train(data, folder, *changes, resume=False):
    overrides = changes if resume else [*QUICK, *NO_JUDGES, *changes]
    preset = None if resume else "tiny"
    plan = plan_run(
        JointTask, data=data, folder=folder, preset=preset, overrides=overrides, resume=resume
    )
    return start_run(plan)


def settled(*changes):
    return resolve(
        JointTask.Config,
        presets=JointTask.presets,
        preset="tiny",
        overrides=[*QUICK, *NO_JUDGES, *changes],
    )


def stepped(data, folder, *changes):
    """Return a trainer whose first step left its gradients, and the losses of that step."""
    task = JointTask(settled(*changes), data)
    trainer = Trainer(start_fabric(task.run), task, folder)
    trainer.context.update = lambda name, **_: None
    with torch.no_grad():
        # what begins at zero would keep all before it from learning in the first step
        for parameter in trainer.context.plain["joint"].parameters():
            if not parameter.abs().sum():
                parameter.normal_(std=0.05)
    return trainer, task.step(trainer.context, task.batches("train")[0])


def test_it_trains_goes_on_exactly_and_exports_four_networks(shards, expert, tmp_path):
    end = train(shards, tmp_path / "run", expert)
    assert set(end.results) >= TERMS
    export = tmp_path / "run" / "export"
    head = TalkingHead.load(export / "talking_head.safetensors")
    whole = head.state_dict()
    assert (
        "4 talking faces of 1 speakers with text"
        in load_card(export / "talking_head.safetensors")["data"]
    )
    sizes = head.config.mapper
    assert (sizes.embedding_dim, sizes.text_dim, sizes.out_dim) == (16, 80, 32)
    sizes = MatchaConfig.model_validate(load_card(export / "matcha.safetensors")["config"])
    assert sizes.speaker_dim == 32
    load_module(MatchaTTS(sizes), export / "matcha.safetensors")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-000000004")
    train(shards, tmp_path / "run", resume=True)
    again = TalkingHead.load(export / "talking_head.safetensors").state_dict()
    assert all(torch.equal(again[name], value) for name, value in whole.items())


def test_gradients_reach_every_weight_that_learns(shards, expert, tmp_path):
    trainer, losses = stepped(shards, tmp_path, expert)
    assert TERMS | {"gan", "discriminator"} <= set(losses)
    assert all(torch.isfinite(loss).all() for loss in losses.values())
    networks = trainer.context.plain
    quiet = set()
    for name in ("joint", "discriminator"):
        for place, parameter in networks[name].named_parameters():
            if not parameter.requires_grad:
                continue
            assert parameter.grad is not None, place
            assert torch.isfinite(parameter.grad).all(), place
            if parameter.grad.abs().sum() == 0:
                quiet.add(place)
    assert not quiet
    assert all(parameter.grad is None for parameter in networks["sync"].parameters())


@pytest.mark.parametrize("name", sorted(TERMS | {"gan"}))
def test_each_term_can_be_left_out(shards, expert, tmp_path, name):
    _, losses = stepped(shards, tmp_path, expert, f"loss.{name}=0")
    everything = TERMS | {"gan"}
    inner = {"cfm", "ae", "prior"} if name in ("cfm", "ae", "prior") else set()
    assert (everything & set(losses)) - inner == everything - inner - {name}


def test_the_weights_are_those_of_the_paper_and_count():
    config = resolve(JointTask.Config, presets=JointTask.presets, preset="paper")
    names = ("gan", "rec", "identity", "sync", "cfm", "ae", "prior", "tts")
    weights = [getattr(config.loss, name) for name in names]
    assert weights == [0.1, 1, 0.3, 0.1, 0.1, 1, 0.1, 1]
    assert config.data.frames == 32
    assert (config.optim.rate, config.optim.picture_betas) == (1e-4, (0.0, 0.99))


def test_ablations_change_what_drives_lips_and_voice(shards, tmp_path):
    plain = JointTask(settled("loss.sync=0"), shards).networks()["joint"]
    for change, missing in (
        (["model.mapper.energy=false"], 1),
        (["model.mapper.energy=false", "model.mapper.text=false"], 81),
    ):
        ablated = JointTask(settled("loss.sync=0", *change), shards).networks()["joint"]
        widths = [net.head.mapper.project.weight.shape[1] for net in (plain, ablated)]
        assert widths[0] - widths[1] == missing
    batch = JointTask(settled("loss.sync=0"), shards).batches("train")[0]
    assert batch["rendered"].shape == (2, 4)
    whole = JointTask(settled("loss.sync=0", "model.voice=feature"), shards).networks()["joint"]
    whole.load_state_dict(plain.state_dict())
    with torch.no_grad():
        voices = [
            net.voiced(batch["speech"], batch["source"])[0].speaker_embedding
            for net in (plain, whole)
        ]
    assert not torch.allclose(voices[0], voices[1])
    assert torch.allclose(voices[0].norm(dim=1), torch.ones(2), atol=1e-5)


def test_the_voice_may_be_kept_from_teaching_the_face(shards, tmp_path):
    only_speech = [f"loss.{name}=0" for name in ("gan", "rec", "sync", "cfm", "ae", "prior")]
    for allowed in (True, False):
        trainer, _ = stepped(
            shards, tmp_path, *only_speech, f"model.voice_gradient={str(allowed).lower()}"
        )
        encoder = trainer.context.plain["joint"].head.generator.encoder
        # the gradient of a zero weight would be there but empty
        moved = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in encoder.parameters()]
        assert any(moved) == allowed


def test_lips_may_be_told_and_the_paper_does_not(shards, tmp_path):
    _, losses = stepped(shards, tmp_path, "loss.sync=0", "loss.lips=1")
    assert losses["lips"] > 0
    presets = {
        name: resolve(JointTask.Config, presets=JointTask.presets, preset=name).loss.lips
        for name in ("paper", "small")
    }
    assert presets == {"paper": 0, "small": 1}


def test_the_mouth_that_lips_tell_is_compared_in_its_units(shards):
    network = JointTask(settled("loss.sync=0"), shards).networks()["joint"]
    mouth = torch.randn(2, 5, 7) * network.head.mouth.units[:7]
    f_lip = network.head.mouth(torch.nn.functional.pad(mouth, (0, 2)))
    found = torch.tensor([[True] * 5, [True, False, False, False, False]])
    assert network._lip_distance(f_lip, mouth, found) < 1e-4
    off = mouth + 2 * network.head.mouth.units[:7]
    off[~found] = 99.0
    assert torch.allclose(network._lip_distance(f_lip, off, found), torch.tensor(2.0), atol=1e-3)


def test_motion_teaches_the_encoder_only_if_the_sampler_lets_it(shards, tmp_path):
    found = {}
    for allowed in ("true", "false"):
        trainer, losses = stepped(
            shards, tmp_path / allowed, "loss.sync=0", f"model.sampler.motion_gradient={allowed}"
        )
        encoder = trainer.context.plain["joint"].head.generator.encoder
        weight = next(p for p in encoder.parameters() if p.grad is not None)
        found[allowed] = losses, weight.grad.clone()
    same, other = (found[name][0] for name in ("true", "false"))
    for name in ("ae", "prior", "rec", "tts"):
        assert torch.allclose(same[name], other[name], rtol=1e-3), name
    assert not torch.allclose(found["true"][1], found["false"][1])


def test_an_acoustic_model_of_other_voices_gives_all_but_their_projection(shards, tmp_path):
    sizes = settled("loss.sync=0").model.matcha
    torch.manual_seed(5)
    other = MatchaTTS(sizes.model_copy(update={"speakers": "embedding", "speaker_dim": 7}))
    path = tmp_path / "matcha.safetensors"
    save_checkpoint(path, other.state_dict(), {})
    changes = ("loss.sync=0", f"model.matcha_from={tmp_path}")
    found = JointTask(settled(*changes), shards).networks()["joint"].matcha.state_dict()
    wanted = other.state_dict()
    differ = {name for name in wanted if not torch.equal(found[name], wanted[name])}
    assert differ == {"speaker.weight"}
    save_checkpoint(path, {**other.state_dict(), "odd": torch.zeros(1)}, {})
    with pytest.raises(CheckpointError, match="unknown odd"):
        JointTask(settled(*changes), shards).networks()


def test_what_is_missing_is_said(shards, tmp_path, monkeypatch):
    monkeypatch.setenv("FACEVOX_JUDGES", str(tmp_path))
    with pytest.warns(UserWarning, match="is off") as said:
        made = JointTask(settled("loss.identity=0.3", "loss.vgg=1"), shards).networks()
    assert "sync" not in made
    assert [str(w.message).partition(":")[0] for w in said] == [
        "The loss 'vgg' is off",
        "The loss 'identity' is off",
        "The loss 'sync' is off",
    ]
    with pytest.raises(ConfigError, match="The loss 'sync' has no expert; train one"):
        JointTask(settled("loss.missing=refuse"), shards).networks()
    with pytest.raises(DataError, match="no talking face of 8 pictures"):
        JointTask(settled("loss.sync=0"), write_shards(tmp_path / "none")).batches("train")


def test_earlier_stages_are_taken_over(shards, tmp_path):
    torch.manual_seed(3)
    before = TalkingHead(tiny_head())
    for name in ("generator", "mouth"):
        state = before.get_submodule(name).state_dict()
        save_checkpoint(tmp_path / f"{name}.safetensors", state, {})
    task = JointTask(settled("loss.sync=0", f"model.head_from={tmp_path}"), shards)
    found = task.networks()["joint"].head.state_dict()
    same = {n for n, value in before.state_dict().items() if torch.equal(found[n], value)}
    assert {n for n in found if n.startswith(("generator.", "mouth."))} <= same
    assert "motion.weight" not in same


def test_the_generator_gives_the_voice_of_the_acoustic_model(tmp_path):
    """Stage S2: `matcha` with the identity of a trained generator, or with its motion."""
    config = GeneratorConfig(**{**tiny().model_dump(), "style_dim": 512})
    torch.manual_seed(0)
    card = {"config": config.model_dump(mode="json")}
    path = tmp_path / "generator.safetensors"
    save_checkpoint(path, FaceGenerator(config).state_dict(), card)
    data = write_shards(tmp_path / "faces", count=2, faces=1)
    seen = []
    for motion in ("", "?motion"):
        changes = [
            "model.condition=face",
            f"model.identity={path}{motion}",
            "model.matcha.speaker_dim=512",
            "data.sizes=[]",
        ]
        config = resolve(
            MatchaTask.Config, presets=MatchaTask.presets, preset="tiny", overrides=changes
        )
        seen.append(MatchaTask(config, data).batches("train")[0].speaker_embedding)
    assert seen[0].shape[1] == 512
    assert torch.allclose(seen[0].norm(dim=1), torch.ones(len(seen[0])), atol=1e-5)
    assert not torch.allclose(seen[0], seen[1])
