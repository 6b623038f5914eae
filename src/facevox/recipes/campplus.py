"""Train CAM++, a network that tells who speaks.

    facevox prepare libritts LIBRITTS -o SHARDS
    facevox train campplus --data SHARDS -o RUN --set run.workers=2

For larger corpora: on a few hundred speakers it stays behind the closed form of
`facevox.recipes.speaker_encoder`, which therefore ships.
"""

import io
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float32, Int64
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import save_checkpoint
from facevox.core.errors import DataError
from facevox.core.waveform import resample
from facevox.data.band_augmentation import distort
from facevox.data.shards import Shards
from facevox.models.speech.campplus import Campplus, paper, small, tiny
from facevox.models.speech.speech_statistics import FRAME_STEP, bands, without_pauses
from facevox.recipes.speaker_trials import equal_error_rate
from facevox.training.batches import DrawnBatches, PackedBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.settings import RunSettings, Settings, TaskSettings
from facevox.training.task import Batches, Task

SAMPLE_RATE = 16_000
SIZES = {"paper": paper, "small": small, "tiny": tiny}
SCALE = 30.0
_WINDOW, _HOP = 400, 160
_LONGEST = 6 * SAMPLE_RATE


class ModelSettings(Settings):
    """Which size.

    Attributes:
        size: Of the network; `paper` is the published one.
        margin: Angle by which a crop must be nearer to its own class [rad], reached half-way.
    """

    size: Literal["paper", "small", "tiny"] = "small"
    margin: float = Field(default=0.2, ge=0)


class OptimSettings(Settings):
    """AdamW with a rate that rises, then falls to zero like a cosine."""

    rate: float = Field(default=2e-3, gt=0)
    warm_up: int = Field(default=50, ge=1)
    decay: float = Field(default=0.05, ge=0)


class DataSettings(Settings):
    """What is drawn.

    Attributes:
        classes: Classes in a batch; each speaker at each speed is a class.
        speeds: Resampled speech is another speaker, smaller or larger.
        frames: Length of a crop, of 20 ms each [frames].
        epoch: Batches that count as one pass.
        trials: Recordings of a speaker that validation compares.
    """

    classes: int = Field(default=24, ge=2)
    speeds: tuple[float, ...] = (0.89, 1.0, 1.12)
    frames: int = Field(default=100, ge=10)
    epoch: int = Field(default=1000, ge=1)
    trials: int = Field(default=6, ge=2)


class CampplusSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=20_000, clip=5.0, ema=0.999)


class SpeakerLoss(nn.Module):
    """Additive angular margin over all classes, and pairs of crops against each other.

    Reference:
        Deng et al., ArcFace, CVPR 2019; Chung et al., In defence of metric learning for
        speaker recognition, Interspeech 2020.
    """

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(num_classes, dim) * 0.05)
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(
        self,
        made: Float32[Tensor, "batch dim"],
        classes: Int64[Tensor, " batch"],
        margin: float,
    ) -> tuple[Float32[Tensor, ""], Float32[Tensor, ""]]:
        """Return both losses; the two crops of a class stand side by side."""
        # angles need more digits than bf16 has
        with torch.autocast(made.device.type, enabled=False):
            cosine = made @ functional.normalize(self.centers, dim=-1).T
            angle = torch.acos(cosine.clamp(-0.999, 0.999))
            target = functional.one_hot(classes, cosine.shape[1]).bool()
            logits = SCALE * torch.where(target, torch.cos(angle + margin), cosine)
            pairs = self.scale.clamp_min(1.0) * made[0::2] @ made[1::2].T
            own = torch.arange(len(pairs), device=pairs.device)
            both = functional.cross_entropy(pairs, own) + functional.cross_entropy(pairs.T, own)
            return functional.cross_entropy(logits, classes), both / 2


class CampplusTask(Task):
    """Sound to speaker embedding."""

    name = "campplus"
    Config = CampplusSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {},
        "paper": {
            "model": {"size": "paper"},
            "data": {"classes": 128, "frames": 150},
            "run": {"steps": 200_000},
        },
        "tiny": {
            "model": {"size": "tiny"},
            "data": {"classes": 3, "frames": 30},
            "run": {"steps": 4},
        },
    }
    averaged = ("campplus",)
    exported = ("campplus",)
    best = "equal_error_rate"

    def networks(self) -> dict[str, nn.Module]:
        """Make the encoder, and the loss with a center for each class."""
        sizes = SIZES[self.config.model.size]()
        count = len(self._speakers) * len(self.config.data.speeds)
        return {"campplus": Campplus(sizes), "loss": SpeakerLoss(sizes.dim, count)}

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make one AdamW for both."""
        optim = self.config.optim
        parameters = [value for network in networks.values() for value in network.parameters()]
        return {"campplus": AdamW(parameters, optim.rate, weight_decay=optim.decay)}

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Let the rate rise, then fall."""
        return rise_and_fall(
            optimizers,
            warm_up=self.config.optim.warm_up,
            steps=self.run.steps,
            last_share=0.0,
        )

    def batches(self, split: str) -> Batches:
        """Draw two crops of each of some classes; validation goes through whole recordings."""
        if split == "train":
            epoch = self.config.data.epoch
            return DrawnBatches(self._draw_pairs, seed=self.run.seed, epoch=epoch)
        shards = Shards(self.data, split)
        taken = _some_of_each(shards, self.config.data.trials)

        def load(chosen: list[int], _: np.random.Generator) -> dict[str, Any]:
            (number,) = (taken[i] for i in chosen)
            sound = without_pauses(_read_sound(shards, number))[:_LONGEST]
            speaker = shards.entries[number]["speaker"]
            return {"bands": bands(torch.from_numpy(sound)[None]), "speaker": speaker}

        lengths = [shards.entries[number]["frames"] for number in taken]
        return PackedBatches(lengths, load, budget=1, seed=0, max_clips=1, shuffle=False)

    def step(self, context: Context, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        """Tell classes apart by a margin that grows, and pairs from each other."""
        made = embed_bands(context["campplus"], batch["bands"])
        margin = self.config.model.margin * min(1.0, 2 * context.progress)
        angular, pairs = context["loss"](made, batch["classes"], margin)
        context.backward(angular + pairs)
        context.update("campplus")
        return {"angular": angular.detach(), "pairs": pairs.detach()}

    def validate(self, context: Context) -> dict[str, float]:
        """Return the equal-error rate of speakers who are not trained on."""
        batches = self.batches("validation")
        rows = [batches[number] for number in range(len(batches))]
        network = context["campplus"]
        made = [embed_bands(network, row["bands"].to(context.device))[0].cpu() for row in rows]
        cosine = np.stack(made) @ np.stack(made).T
        of = np.array([row["speaker"] for row in rows])
        pairs = np.triu(np.ones(cosine.shape, bool), 1)
        same, other = (pairs & (of[:, None] == of), pairs & (of[:, None] != of))
        if not same.any() or not other.any():
            return {}
        return {"equal_error_rate": equal_error_rate(cosine[same], cosine[other])}

    def describe_data(self) -> dict[str, Any]:
        """Return how many speakers, recordings and hours."""
        entries = self._shards.entries
        hours = sum(entry["frames"] for entry in entries) / 360_000
        return {
            "data": f"{self.data.name}: {len(entries)} recordings of {len(self._speakers)} "
            f"speakers, {hours:.2f} h"
        }

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `campplus.safetensors` in the published layout."""
        changed = {
            **card,
            "kind": "campplus",
            "purpose": "Tells how a voice sounds; not made to recognise people.",
            "config": {"size": self.config.model.size, "frame_step": FRAME_STEP},
            "settings": card["config"],
        }
        state = networks["campplus"].state_dict()
        return [save_checkpoint(folder / "campplus.safetensors", state, changed)]

    @cached_property
    def _shards(self) -> Shards:
        return Shards(self.data, "train")

    @cached_property
    def _speakers(self) -> list[list[int]]:
        """Numbers of the recordings of each speaker.

        Raises:
            DataError: If there are not two speakers.
        """
        found: dict[str, list[int]] = {}
        for number, entry in enumerate(self._shards.entries):
            found.setdefault(entry["speaker"], []).append(number)
        if len(found) < 2:
            raise DataError(f"{self.data} has one speaker only; telling speakers apart takes more.")
        return [found[name] for name in sorted(found)]

    def _draw_pairs(self, generator: np.random.Generator) -> dict[str, Tensor]:
        data = self.config.data
        count = len(self._speakers) * len(data.speeds)
        classes = generator.choice(count, min(data.classes, count), replace=False)
        crops = [self._crop(int(one), generator) for one in classes for _ in range(2)]
        frames = bands(torch.from_numpy(np.stack(crops)))
        noise = torch.Generator().manual_seed(int(generator.integers(2**40)))
        repeated = torch.from_numpy(np.repeat(classes, 2).astype(np.int64))
        return {"bands": distort(frames, noise), "classes": repeated}

    def _crop(self, index: int, generator: np.random.Generator) -> Float32[np.ndarray, " samples"]:
        """Return a crop of a class, at its speed."""
        data = self.config.data
        numbers = self._speakers[index // len(data.speeds)]
        speed = data.speeds[index % len(data.speeds)]
        length = _WINDOW + _HOP * FRAME_STEP * (data.frames - 1)
        wanted = math.ceil(length * speed) + 1
        sound = without_pauses(_read_sound(self._shards, int(generator.choice(numbers))))
        sound = np.tile(sound, -(-wanted // len(sound)))
        start = int(generator.integers(len(sound) - wanted + 1))
        crop = resample(sound[start : start + wanted], SAMPLE_RATE * speed, SAMPLE_RATE)
        return np.pad(crop, (0, max(0, length - len(crop))))[:length].astype(np.float32)


def embed_bands(
    network: nn.Module, frames: Float32[Tensor, "batch frames 80"]
) -> Float32[Tensor, "batch dim"]:
    """Return embeddings of length one of log energies of mel bands."""
    made = network(frames - frames.mean(1, keepdim=True)).float()
    return functional.normalize(made, dim=-1)


def _some_of_each(shards: Shards, count: int) -> list[int]:
    """Return the numbers of the first recordings of each speaker."""
    seen: dict[str, int] = {}
    taken = []
    for number, entry in enumerate(shards.entries):
        seen[entry["speaker"]] = seen.get(entry["speaker"], 0) + 1
        if seen[entry["speaker"]] <= count:
            taken.append(number)
    return taken


def _read_sound(shards: Shards, number: int) -> Float32[np.ndarray, " samples"]:
    """Return the sound of a sample.

    Raises:
        DataError: If it cannot be read.
    """
    import soundfile

    name = shards.entries[number]["name"]
    try:
        waveform, _ = soundfile.read(io.BytesIO(shards[number]["flac"]), dtype="float32")
    except (KeyError, soundfile.SoundFileError) as error:
        raise DataError(f"The sample {name} cannot be read ({error}); prepare it again.") from error
    return waveform
