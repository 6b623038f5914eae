"""Stage S3 of the talking face: speech and face learn together.

    facevox prepare grid GRID -o SHARDS --faces
    facevox train ttsf --data SHARDS -o TTSF --set model.head_from=S0/export \
        --set model.matcha_from=S2/export --set model.sync_from=SYNC/export

Reference:
    Jang et al., Faces that Speak, CVPR 2024, sections 3.3 and 3.4.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from facevox.core.checkpoint import load_checkpoint, load_module, save_checkpoint
from facevox.core.errors import ConfigError
from facevox.core.state_dict import check_layout
from facevox.data.shards import Shards
from facevox.data.speech.settings import HOP, SAMPLE_RATE
from facevox.data.spoken_samples import transcribed
from facevox.data.talking_samples import talking
from facevox.models.face.lia.config import paper as paper_generator
from facevox.models.face.lia.discriminator import Discriminator
from facevox.models.face.ttsf.audio_mapper import paper as paper_mapper
from facevox.models.face.ttsf.sampler_config import paper as paper_sampler
from facevox.models.face.ttsf.sync_expert import SyncExpert, sync_loss
from facevox.models.face.ttsf.talking_head import TalkingHead
from facevox.models.face.ttsf.talking_head import tiny as tiny_head
from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.config import paper as paper_matcha
from facevox.models.speech.matcha.config import tiny as tiny_matcha
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.nn.adversarial import discriminator_loss, generator_loss
from facevox.recipes.face_losses import JudgedLosses, JudgedSettings, pyramid_loss, weight_map
from facevox.recipes.sync import load_sync_expert
from facevox.recipes.talking_batches import RENDERED, RENDERED_FOR_SYNC, joint_batch
from facevox.recipes.ttsf_network import JointNetwork
from facevox.recipes.ttsf_settings import JointSettings
from facevox.recipes.ttsf_warmup import PARTS
from facevox.training.batches import PackedBatches
from facevox.training.context import Context
from facevox.training.task import Batches, Samples, Task

_HELD_BATCHES, _SHOWN = 4, 4
_LEVELS = 4
_VOICES = "speaker.weight"

Batch = dict[str, MatchaBatch | Tensor]


class JointTask(Task):
    """A text and a face to speech and video."""

    name = "ttsf"
    Config = JointSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {"loss": {"picture": "pyramid", "lips": 1.0}},
        "paper": {
            "model": {
                "generator": paper_generator().model_dump(),
                "matcha": paper_matcha()
                .model_copy(update={"mel_mean": -6.0, "mel_std": 2.4})
                .model_dump(),
                "mapper": paper_mapper().model_dump(),
                "sampler": paper_sampler().model_dump(),
                "motion": "absolute",
            },
            "loss": {"speech": {"duration": 1.0, "prior": 1.0}},
            "run": {"steps": 500_000},
        },
        "tiny": {
            "model": {
                **tiny_head().model_dump(),
                "matcha": tiny_matcha().model_copy(update={"n_mels": 80}).model_dump(),
            },
            "data": {"frames": 8},
            "run": {"steps": 4, "precision": "32-true"},
        },
    }
    averaged = ("joint",)
    best = "rec"
    unused_parameters = True

    def networks(self) -> dict[str, nn.Module]:
        """Make all that learns, the frozen sync expert, and load what was trained before.

        Raises:
            ConfigError: If a judge or the sync expert is missing that must be here.
            CheckpointError: If an earlier stage does not fit.
        """
        loss, model = self.config.loss, self.config.model
        vgg = loss.vgg if loss.rec > 0 else 0.0
        self.judged = JudgedLosses(
            JudgedSettings(
                vgg=vgg,
                identity=loss.identity,
                recogniser=loss.recogniser,
                missing=loss.missing,
            )
        )
        joint = JointNetwork(self.config, half=self.run.precision == "bf16-mixed")
        if model.head_from is not None:
            _take_over(joint.head, Path(model.head_from))
        if model.matcha_from is not None:
            _take_over_speech(joint.matcha, Path(model.matcha_from) / "matcha.safetensors")
        joint.head.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # what reads numbers off features is as S0 left it
        joint.head.leftover.requires_grad_(False)
        for part in (joint.head.mouth, joint.head.motion, joint.head.seen):
            part.requires_grad_(False)
        made: dict[str, nn.Module] = {"joint": joint}
        if loss.gan > 0:
            group = RENDERED_FOR_SYNC if loss.sync > 0 else RENDERED
            made["discriminator"] = Discriminator(model.generator, group)
        expert = self._sync_expert()
        if expert is not None:
            made["sync"] = expert
        return made

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make one Adam for speech and face, and one for the discriminator."""
        optim, joint = self.config.optim, networks["joint"]
        generator = list(joint.get_submodule("head.generator").parameters())
        inside = {id(parameter) for parameter in generator}
        others = [p for p in joint.parameters() if id(p) not in inside and p.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": others, "betas": optim.betas},
            {"params": generator, "betas": optim.picture_betas},
        ]
        made: dict[str, Optimizer] = {"joint": Adam(groups, optim.rate)}
        if "discriminator" in networks:
            parameters = networks["discriminator"].parameters()
            made["discriminator"] = Adam(parameters, optim.rate, betas=optim.picture_betas)
        return made

    def batches(self, split: str) -> Batches:
        """Take clips with text and face, each once in an epoch.

        Raises:
            DataError: If there are none that are long enough.
        """
        data, learning = self.config.data, split == "train"
        shards = Shards(self.data, split)
        numbers = self._usable(shards)

        def load(chosen: list[int], generator: np.random.Generator) -> Batch:
            return joint_batch(
                shards,
                [numbers[i] for i in chosen],
                data.frames,
                self.config.model.generator.size,
                generator,
                consecutive=self.config.loss.sync > 0,
            )

        lengths = [shards.entries[number]["frames"] for number in numbers]
        return PackedBatches(
            lengths,
            load,
            budget=data.batch * max(lengths),
            max_clips=data.batch,
            seed=self.run.seed + (not learning),
            shuffle=learning,
        )

    def step(self, context: Context, batch: Batch) -> dict[str, float | Tensor]:
        """Speak and move, teach the discriminator, then all others at once."""
        losses, made, real = self._made(context, batch)
        found = self.terms(context, losses, made, real, batch["mel"], batch["rendered"])
        total = torch.stack([self.weight_of(n) * loss for n, loss in found.items()]).sum()
        logged = {**losses, **found}
        if self.config.loss.gan > 0:
            judge = context["discriminator"]
            shown, fake = real.flatten(0, 1), made.flatten(0, 1)
            taught = discriminator_loss(judge(shown), judge(fake.detach()))
            context.backward(taught)
            context.update("discriminator")
            with context.frozen("discriminator"):
                logged["gan"] = generator_loss(judge(fake))
                context.backward(total + self.config.loss.gan * logged["gan"])
            logged["discriminator"] = taught
        else:
            context.backward(total)
        context.update("joint")
        return {name: loss.detach() for name, loss in logged.items()}

    def terms(
        self,
        context: Context,
        losses: Mapping[str, Tensor],
        made: Tensor,
        real: Tensor,
        mel: Any,
        rendered: Any,
    ) -> dict[str, Tensor]:
        """Return the terms of the paper whose weight is not 0, but for the adversarial one.

        Args:
            context: The run.
            losses: Those of speech and motion, from the network.
            made: Pictures (batch, pictures, 3, side, side).
            real: What they shall look like.
            mel: Of the whole window.
            rendered: Places of the pictures in the window.
        """
        weights = self.config.loss
        terms = {name: losses[name] for name in ("cfm", "ae", "prior", "lips") if name in losses}
        terms = {name: loss for name, loss in terms.items() if self.weight_of(name) > 0}
        if weights.tts > 0:
            inner = weights.speech.model_dump()
            terms["tts"] = torch.stack(
                [inner[n.partition(":")[2]] * v for n, v in losses.items() if n.startswith("tts:")]
            ).sum()
        shown, fake = real.flatten(0, 1), made.flatten(0, 1)
        judged = self.judged(fake, shown)
        if weights.rec > 0:
            terms["rec"] = self._picture_loss(fake, shown)
            if "vgg" in judged:
                terms["rec"] = terms["rec"] + weights.vgg * judged["vgg"]
        if "identity" in judged:
            terms["identity"] = judged["identity"]
        if "sync" in context.plain:
            expert = context.plain["sync"]
            assert isinstance(expert, SyncExpert)
            heard = _mel_of(mel, rendered)
            terms["sync"] = sync_loss(expert.eval(), made.transpose(1, 2), heard)
        return terms

    def weight_of(self, name: str) -> float:
        """Return the weight of a term."""
        return float(getattr(self.config.loss, name))

    def validate(self, context: Context) -> dict[str, float]:
        """Return the mean terms over held-out clips."""
        rows: list[dict[str, float]] = []
        for batch in self._held(context):
            losses, made, real = self._made(context, batch)
            found = self.terms(context, losses, made, real, batch["mel"], batch["rendered"])
            copied = (batch["source"][:, None] - real).abs().mean()  # type: ignore[call-overload,index]
            rows.append({name: float(loss) for name, loss in found.items()})
            rows[-1] |= {"l1": float((made - real).abs().mean()), "copied": float(copied)}
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def samples(self, context: Context) -> Samples:
        """Show made pictures above real ones."""
        pictures = {}
        for number, batch in enumerate(self._held(context)[:_SHOWN]):
            _, made, real = self._made(context, batch)
            rows = [torch.cat(list(x[0].clamp(-1, 1)), -1) for x in (made, real)]
            shown = torch.cat(rows, -2).permute(1, 2, 0).float().cpu().numpy()
            pictures[f"{number}-made-real"] = ((shown + 1) * 127.5).astype(np.uint8)
        return Samples(pictures=pictures)

    def describe_data(self) -> dict[str, Any]:
        """Return clips, speakers and minutes."""
        shards = Shards(self.data, "train")
        numbers = self._usable(shards)
        minutes = sum(shards.entries[n]["frames"] for n in numbers) * HOP / SAMPLE_RATE / 60
        speakers = {shards.entries[number]["speaker"] for number in numbers}
        return {
            "data": f"{self.data.name}: {len(numbers)} talking faces of {len(speakers)} "
            f"speakers with text, {minutes:.1f} min"
        }

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `talking_head.safetensors`, all of the face, and `matcha.safetensors`."""
        joint = networks["joint"]
        assert isinstance(joint, JointNetwork)
        parts = (
            ("talking_head", "talking-head", joint.head, joint.head.config),
            ("matcha", "matcha", joint.matcha, joint.matcha.config),
        )
        return [
            save_checkpoint(
                folder / f"{name}.safetensors",
                network.state_dict(),
                {
                    **card,
                    "kind": kind,
                    "config": sizes.model_dump(mode="json"),
                    "settings": card["config"],
                    "voice": joint.model.voice,
                },
            )
            for name, kind, network, sizes in parts
        ]

    def _made(self, context: Context, batch: Batch) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Return losses, pictures that were made, and the real ones."""
        names = ("speech", "source", "frames", "start", "rendered", "place", "mouth", "found")
        losses, made = context["joint"](*(batch[name] for name in names))
        frames, index = batch["frames"], batch["rendered"]
        assert isinstance(frames, Tensor)
        assert isinstance(index, Tensor)
        rows = torch.arange(len(frames), device=frames.device)[:, None]
        return losses, made.float(), frames[rows, index]

    def _picture_loss(self, made: Tensor, real: Tensor) -> Tensor:
        if self.config.loss.picture == "l1":
            return (made - real).abs().mean()
        return pyramid_loss(made, real, weight_map(made.shape[-1]).to(made), _LEVELS)

    def _usable(self, shards: Shards) -> list[int]:
        seen = set(talking(shards, self.config.data.frames))
        return [number for number in transcribed(shards) if number in seen]

    def _held(self, context: Context) -> list[Batch]:
        batches = self.batches("validation")
        count = min(len(batches), _HELD_BATCHES)
        return [
            {name: value.to(context.device) for name, value in batches[number].items()}
            for number in range(count)
        ]

    def _sync_expert(self) -> SyncExpert | None:
        loss, folder = self.config.loss, self.config.model.sync_from
        if loss.sync == 0:
            return None
        if folder is not None:
            return load_sync_expert(Path(folder) / "sync.safetensors")
        if loss.missing == "refuse":
            raise ConfigError(
                "The loss 'sync' has no expert; train one with facevox train sync and give its "
                "export as model.sync_from, or set its weight to 0."
            )
        warnings.warn("The loss 'sync' is off: model.sync_from names no expert.", stacklevel=2)
        return None


def _take_over(head: TalkingHead, folder: Path) -> None:
    """Fill a head with all of an earlier one, or with the parts that S0 exports."""
    whole = folder / "talking_head.safetensors"
    if whole.exists():
        load_module(head, whole)
        return
    load_module(head.generator, folder / "generator.safetensors")
    for name in PARTS[1:]:
        path = folder / f"{name}.safetensors"
        if path.exists():
            load_module(head.get_submodule(name), path)
            if name == "mouth":
                # the mapper, which is new, begins with lips at rest
                with torch.no_grad():
                    bias = head.mapper.out.bias
                    assert bias is not None
                    bias.copy_(head.mouth.rest())


def _take_over_speech(acoustic: MatchaTTS, path: Path) -> None:
    """Fill an acoustic model; one of other voices leaves their projection new."""
    state = acoustic.state_dict()
    arrays = load_checkpoint(path)
    if _VOICES in arrays and arrays[_VOICES].shape != tuple(state[_VOICES].shape):
        arrays[_VOICES] = state[_VOICES].numpy()
    found = {name: torch.from_numpy(array) for name, array in arrays.items()}
    check_layout(state, found, str(path))
    acoustic.load_state_dict(found)


def _mel_of(mel: Tensor, rendered: Tensor) -> Tensor:
    """Return the mel of consecutive pictures, (batch, bands, 4 pictures)."""
    per_picture = mel.unflatten(2, (-1, 4))
    rows = torch.arange(len(mel), device=mel.device)[:, None]
    return per_picture.permute(0, 2, 1, 3)[rows, rendered].transpose(1, 2).flatten(2)
