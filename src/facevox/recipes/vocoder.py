"""Train a vocoder: on spectra, then on how they vary, or against discriminators.

    facevox train vocoder --data SOUND --out RUN1 --preset spectra
    facevox train vocoder --data SOUND --out RUN2 --preset energy --set run.start_from=RUN1

SOUND is a folder of sound files, or of shards that `facevox prepare` made; no text is needed.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import save_checkpoint
from facevox.data.speech_segments import (
    SegmentSampler,
    open_clips,
)
from facevox.data.vocoder_augmentation import shaken_f0, smoother_mel
from facevox.models.speech.mel import MelSettings, MelSpectrogram
from facevox.models.speech.vocoders.discriminators import (
    Judgement,
    PeriodDiscriminators,
    SpectrogramDiscriminators,
)
from facevox.models.speech.vocoders.excitation import RESTING_F0, Onset
from facevox.models.speech.vocoders.harmonic import HarmonicVocoder, HarmonicVocoderConfig
from facevox.models.speech.vocoders.harmonic import small as small_harmonic
from facevox.models.speech.vocoders.harmonic import tiny as tiny_harmonic
from facevox.models.speech.vocoders.hifigan import HifiGan, HifiGanConfig
from facevox.models.speech.vocoders.hifigan import small as small_hifigan
from facevox.models.speech.vocoders.losses import (
    FEATURE_WEIGHT,
    EnergyDistance,
    MelLoss,
    StftLoss,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
)
from facevox.nn.normed_convolution import fold_weight_norm
from facevox.training.batches import DrawnBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.settings import RunSettings, Settings, TaskSettings
from facevox.training.task import Batches, Samples, Task

_GAIN = 10.0

MARGIN = 3
"""Frames at each end of a stretch that only the mel front end sees."""


class ModelSettings(Settings):
    """Which vocoder, and what judges it.

    Attributes:
        kind: Harmonics plus noise, or HiFi-GAN.
        harmonic: Sizes of the former.
        hifigan: Sizes of the latter.
        periods: Periods of the discriminators of folded sound [samples].
        period_width: Their channels as a part of the published ones.
        spectrogram_channels: Channels of the discriminators of spectrograms.
    """

    kind: Literal["harmonic", "hifigan"] = "harmonic"
    harmonic: HarmonicVocoderConfig = small_harmonic()
    hifigan: HifiGanConfig = small_hifigan()
    periods: tuple[int, ...] = (2, 5, 11)
    period_width: float = 0.125
    spectrogram_channels: int = 16


class LossSettings(Settings):
    """Weights of the losses.

    Attributes:
        mel: Distance of log-mels.
        stft: Distance of spectra at several resolutions.
        energy: Energy distance of spectra, of two sounds of each stretch; needs a vocoder with
            noise of its own, so 0 for HiFi-GAN.
        adversarial: What the discriminators say; 0 trains without them.
        features: Distance of the discriminators' features, as a multiple of `adversarial`.
        warm_up: Steps in which `adversarial` rises from 0.
    """

    mel: float = Field(default=2.0, ge=0)
    stft: float = Field(default=1.0, ge=0)
    energy: float = Field(default=0.0, ge=0)
    adversarial: float = Field(default=0.0, ge=0)
    features: float = Field(default=FEATURE_WEIGHT, ge=0)
    warm_up: int = Field(default=100, ge=1)


class OptimSettings(Settings):
    """AdamW and its learning rate, which falls like a cosine.

    Attributes:
        rate: Largest learning rate.
        last_rate: Smallest, at the end.
        warm_up: Steps in which the rate rises from 0.
        decay: Weight decay.
        betas: Memory of both moments.
    """

    rate: float = Field(default=8e-4, gt=0)
    last_rate: float = Field(default=1e-4, gt=0)
    warm_up: int = Field(default=100, ge=1)
    decay: float = Field(default=0.01, ge=0)
    betas: tuple[float, float] = (0.8, 0.99)


class DataSettings(Settings):
    """What is drawn.

    Attributes:
        batch: Stretches in a batch.
        frames: Length of each [frames].
        smooth_share: Part of the stretches whose mel is made as smooth as a predicted one.
        held_out: One loose file of so many is kept for validation; shards have their own.
        weights: Share of the folders named; the others share the rest by length.
        epoch: Batches that count as one pass.
    """

    batch: int = Field(default=8, ge=1)
    frames: int = Field(default=80, ge=16)
    smooth_share: float = Field(default=0.25, ge=0, le=1)
    held_out: int = Field(default=25, ge=2)
    weights: dict[str, float] = Field(default_factory=dict)
    epoch: int = Field(default=1000, ge=1)


class VocoderSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=8000, clip=5.0, ema=0.998)


class Discriminators(nn.Module):
    """All that judge: spectrograms at several resolutions, and folded sound."""

    def __init__(self, model: ModelSettings) -> None:
        super().__init__()
        self.spectrograms = SpectrogramDiscriminators(channels=model.spectrogram_channels)
        self.periods = PeriodDiscriminators(model.periods, model.period_width, _GAIN)

    def forward(self, waveform: Float[Tensor, "batch samples"]) -> Judgement:
        """Return scores near one for sound taken as real, and the features."""
        scores, features = self.spectrograms(waveform)
        more, others = self.periods(waveform)
        return [*scores, *more], [*features, *others]


class VocoderTask(Task):
    """Mel and F0 to sound."""

    name = "vocoder"
    Config = VocoderSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "spectra": {},
        "energy": {
            "loss": {"mel": 0.3, "stft": 0.1, "energy": 2.0},
            "optim": {"rate": 6e-4, "last_rate": 5e-5},
        },
        "adversarial": {
            "loss": {"mel": 15.0, "stft": 3.0, "adversarial": 1.0},
            "optim": {"rate": 3e-4, "last_rate": 5e-5},
        },
        "hifigan": {
            "model": {"kind": "hifigan", "periods": (2, 3, 5, 7, 11), "period_width": 1.0},
            "loss": {"mel": 45.0, "stft": 0.0, "adversarial": 1.0},
            "optim": {"rate": 2e-4, "last_rate": 1e-5},
            "data": {"batch": 16, "frames": 50},
        },
        "tiny": {
            "model": {
                "harmonic": tiny_harmonic().model_dump(),
                "spectrogram_channels": 4,
                "period_width": 0.03125,
            },
            "loss": {"adversarial": 1.0},
            "data": {"batch": 2, "frames": 30},
            "run": {"steps": 4},
        },
    }
    averaged = ("vocoder",)
    exported = ("vocoder",)
    best = "mel"

    def networks(self) -> dict[str, nn.Module]:
        """Make the vocoder and, if they are used, the discriminators."""
        model = self.config.model
        made: dict[str, nn.Module] = {
            "vocoder": HarmonicVocoder(model.harmonic)
            if model.kind == "harmonic"
            else HifiGan(model.hifigan)
        }
        if self.config.loss.adversarial > 0:
            made["discriminators"] = Discriminators(model)
        self.mel_loss, self.stft_loss = MelLoss(), StftLoss()
        self.energy_distance = EnergyDistance()
        return made

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make one AdamW for each network."""
        optim = self.config.optim
        return {
            name: AdamW(
                network.parameters(), optim.rate, betas=optim.betas, weight_decay=optim.decay
            )
            for name, network in networks.items()
        }

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Let the rates rise for some steps and fall like a cosine to the end."""
        optim = self.config.optim
        return rise_and_fall(
            optimizers,
            warm_up=optim.warm_up,
            steps=self.run.steps,
            last_share=optim.last_rate / optim.rate,
        )

    def batches(self, split: str) -> Batches:
        """Draw stretches of the clips that are trained on, or of those held out."""
        data, learning = self.config.data, split == "train"
        sampler = SegmentSampler(
            open_clips(self.data, split, data.held_out),
            batch=data.batch,
            frames=data.frames,
            margin=MARGIN,
            weights=data.weights,
        )
        front = MelSpectrogram(MelSettings())

        def draw(generator: np.random.Generator) -> dict[str, Tensor]:
            """Return mel and F0, as imperfect as predicted ones where learning, and sound."""
            segments = sampler.draw(generator)
            hop = MARGIN * front.settings.hop_length
            mel, f0 = front(segments.waveform)[:, :, MARGIN:-MARGIN], segments.f0
            if learning:
                mel = smoother_mel(mel, generator, data.smooth_share)
                f0 = shaken_f0(f0, generator)
            return {
                "mel": mel,
                "f0": f0,
                "waveform": segments.waveform[:, hop:-hop],
                "seeds": torch.from_numpy(generator.integers(0, 2**40, (2, len(f0)))),
                "cycles": torch.from_numpy(generator.random((2, len(f0)))),
            }

        seed, epoch = (self.run.seed, data.epoch) if learning else (self.run.seed + 1, 8)
        return DrawnBatches(draw, seed=seed, epoch=epoch)

    def step(self, context: Context, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        """Make sound, teach the discriminators what is real, then the vocoder."""
        weights, real = self.config.loss, batch["waveform"]
        made, *other = self._made(context, batch, 2 if weights.energy > 0 else 1)
        near = {"mel": self.mel_loss(made, real), "stft": self.stft_loss(made, real)}
        total = weights.mel * near["mel"] + weights.stft * near["stft"]
        if other:
            near["energy"] = self.energy_distance(made, other[0], real)
            total = total + weights.energy * near["energy"]
        if weights.adversarial == 0:
            context.backward(total)
            context.update("vocoder")
            return {name: loss.detach() for name, loss in near.items()}
        scores, features = context["discriminators"](real)
        judged, _ = context["discriminators"](made.detach())
        near["discriminators"] = discriminator_loss(scores, judged)
        context.backward(near["discriminators"])
        context.update("discriminators")
        with context.frozen("discriminators"):
            judged, seen = context["discriminators"](made)
            near["adversarial"] = adversarial_loss(judged)
            near["features"] = feature_loss(features, seen)
            rise = min(1.0, (context.step + 1) / weights.warm_up) * weights.adversarial
            fooled = near["adversarial"] + weights.features * near["features"]
            context.backward(total + rise * fooled)
        context.update("vocoder")
        return {name: loss.detach() for name, loss in near.items()}

    def validate(self, context: Context) -> dict[str, float]:
        """Measure held-out stretches: distances of spectra, nothing smoothed."""
        rows = []
        for batch in self._held(context):
            (made,), real = self._made(context, batch), batch["waveform"]
            rows.append([float(self.mel_loss(made, real)), float(self.stft_loss(made, real))])
        mean = np.mean(rows, axis=0)
        return {"mel": float(mean[0]), "stft": float(mean[1])}

    def samples(self, context: Context) -> Samples:
        """Make the first held-out stretches, with the recordings beside them."""
        batch = self._held(context)[0]
        (made,) = self._made(context, batch)
        sounds, pictures = {}, {}
        for row in range(min(4, len(made))):
            for name, sound in (("made", made[row]), ("real", batch["waveform"][row])):
                sounds[f"{row}-{name}"] = sound.float().cpu().numpy()
                shown = self.mel_loss.mel(sound[None].float())[0].flip(0).cpu().numpy()
                pictures[f"{row}-{name}"] = np.clip((shown + 11) / 13, 0, 1)
        return Samples(waveforms=sounds, pictures=pictures)

    def describe_data(self) -> dict[str, Any]:
        """Return the folders and the hours."""
        clips = open_clips(self.data, "train", self.config.data.held_out)
        hours = sum(clip.frames for clip in clips) / 360_000
        groups = sorted({clip.group for clip in clips})
        return {"data": f"{', '.join(groups)}: {len(clips)} recordings, {hours:.2f} h"}

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `vocoder.safetensors`; its card holds the sizes, and apart the settings."""
        model = self.config.model
        network = copy.deepcopy(networks["vocoder"])
        if model.kind == "hifigan":
            fold_weight_norm(network)
        sizes = model.harmonic if model.kind == "harmonic" else model.hifigan
        changed = {
            **card,
            "kind": f"{model.kind}-vocoder",
            "config": sizes.model_dump(mode="json"),
            "settings": card["config"],
        }
        return [save_checkpoint(folder / "vocoder.safetensors", network.state_dict(), changed)]

    def _made(
        self, context: Context, batch: dict[str, Tensor], sounds: int = 1
    ) -> tuple[Tensor, ...]:
        """Return one or two sounds that the vocoder makes of a batch, by chance different."""
        for loss in (self.mel_loss, self.stft_loss, self.energy_distance):
            loss.to(batch["waveform"].device)
        mel, f0 = batch["mel"].repeat(sounds, 1, 1), batch["f0"].repeat(sounds, 1)
        chance: dict[str, Any] = {}
        if self.config.model.kind == "harmonic":
            cycles = batch["cycles"][:sounds].flatten()
            onset = Onset(0, cycles, torch.full_like(cycles, RESTING_F0), 0)
            chance = {"onset": onset, "seeds": batch["seeds"][:sounds].flatten()}
        return context["vocoder"](mel, f0, **chance).float().chunk(sounds)

    def _held(self, context: Context) -> list[dict[str, Tensor]]:
        batches = self.batches("validation")
        return [
            {name: value.to(context.device) for name, value in batches[number].items()}
            for number in range(len(batches))
        ]
