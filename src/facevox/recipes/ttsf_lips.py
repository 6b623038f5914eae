"""The audio mapper of the talking face alone: what is spoken -> the nine numbers of a mouth.

    python -m facevox.recipes.spoken_mouths --data DATA --tracks TRACKS --out SPOKEN
    facevox train ttsf-lips --data SPOKEN -o LIPS

Numbers of the mouth and f_lip are linear in one another, so that a mapper that has learned the
one becomes a mapper of the other by its last layer.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, sections 3.1 and 4.4 (what it is ablated of).
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import ValidationError
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import load_card, load_module, save_checkpoint
from facevox.core.errors import CheckpointError, DataError
from facevox.data.spoken_mouths import FILMED, SpokenMouth, read_spoken_mouths
from facevox.data.spoken_sampler import SpokenSampler, collate_spoken
from facevox.models.face.ttsf.audio_mapper import AudioMapper, AudioMapperConfig, tiny
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS
from facevox.nn.masks import masked_mean
from facevox.recipes.ttsf_lips_settings import LipsSettings, adamw
from facevox.training.batches import DrawnBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.task import Batches, Task

SCALE = (1.0,) * 6 + (10.0, 0.6, 0.6)
"""Factors on mouth (6), lip_gap, tongue and lip_roll that make errors in them weigh alike."""

EXPORT = "lips"
"""Name of the exported weights."""

_GAP = 6
_CLOSED_GAP, _CLOSED = 0.008, 0.01
"""Lips nearer than this [IOD] count more in training, and are taken as closed in validation."""


class LipNetwork(nn.Module):
    """An audio mapper that is given all features, and takes those that it has inputs for.

    Args:
        config: Sizes.
    """

    def __init__(self, config: AudioMapperConfig) -> None:
        super().__init__()
        self.mapper = AudioMapper(config)

    @property
    def channels(self) -> int:
        """Channels of `AcousticFeatures.joined` that it is given."""
        return self.mapper.config.embedding_dim + self.mapper.config.text_dim + 1

    def forward(
        self,
        features: Float[Tensor, "batch mel_frames channels"],
        mask: Bool[Tensor, "batch mel_frames"],
        start: Int[Tensor, " batch"] | None = None,
        frames: int | None = None,
    ) -> Float[Tensor, "batch frames 9"]:
        """Return the numbers of mouths times `SCALE`; see `AudioMapper.forward`."""
        config = self.mapper.config
        parts = features.split([config.embedding_dim, config.text_dim, 1], -1)
        return self.mapper(self.mapper.join(*parts), mask, start, frames).float()

    @torch.no_grad()
    def mouth_of(self, spoken: SpokenMouth) -> Float[Tensor, "frames 9"]:
        """Return the numbers of a whole utterance times `SCALE`, as long as its own mouth."""
        device = self.mapper.out.weight.device
        features = torch.from_numpy(spoken.features.astype(np.float32)).to(device)[None]
        mask = torch.ones(features.shape[:2], dtype=torch.bool, device=device)
        return self(features, mask, None, len(spoken.mouth))[0]


class LipsTask(Task):
    """Features of speech to mouths."""

    name = "ttsf-lips"
    data_hint = "python -m facevox.recipes.spoken_mouths makes it"
    Config = LipsSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {},
        "tiny": {
            "model": {"mapper": tiny().model_copy(update={"out_dim": MOUTH_NUMBERS}).model_dump()},
            "data": {"batch": 4, "frames": 8},
            "run": {"steps": 4, "precision": "32-true"},
        },
    }
    averaged = ("lips",)
    best = "error"

    def networks(self) -> dict[str, nn.Module]:
        """Make the mapper."""
        return {"lips": LipNetwork(self.config.model.mapper)}

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make one AdamW."""
        return {name: adamw(network, self.config.optim) for name, network in networks.items()}

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Let the rate rise, then fall."""
        optim = self.config.optim
        return rise_and_fall(
            optimizers,
            warm_up=optim.warm_up,
            steps=self.run.steps,
            last_share=optim.last_share,
        )

    def batches(self, split: str) -> Batches:
        """Draw windows of the utterances; for validation take the held-out ones whole.

        Raises:
            DataError: If the folder does not hold spoken mouths, or the features are not those
                that the mapper takes.
        """
        data, held = self.config.data, split != "train"
        spoken = read_spoken_mouths(self.data, held=held)
        check_channels(spoken, self.config.model.mapper)
        if held:
            return _Whole(spoken)
        sampler = SpokenSampler(
            spoken,
            frames=data.frames,
            shares=data.shares,
            noise=data.noise,
            loudness=data.loudness,
        )
        return DrawnBatches(
            lambda generator: sampler.draw(data.batch, generator),
            seed=self.run.seed,
            epoch=data.epoch,
        )

    def weight(self, batch: Mapping[str, Tensor]) -> float:
        """Return the frames in which the mouth is known."""
        return float(batch["known"].sum())

    def step(self, context: Context, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        """Say the mouths of a window of each utterance."""
        names = ("features", "mask", "start")
        said = context["lips"](*(batch[name] for name in names), batch["mouth"].shape[1])
        losses = lip_losses(said, batch["mouth"], batch["known"], self.config.loss.closed)
        context.backward(losses["error"] + self.config.loss.change * losses["change"])
        context.update("lips")
        return {name: loss.detach() for name, loss in losses.items()}

    def validate(self, context: Context) -> dict[str, float]:
        """Measure held-out utterances, each kind by itself.

        Returns:
            `KIND_error`, mean absolute error in the training's units; `KIND_lip_gap`,
            correlation of the lips' opening, mean over utterances; `KIND_closed`, its level
            where the lips are closed [IOD]; and `error`, the mean of the kinds' errors.
        """
        network = context["lips"]
        assert isinstance(network, LipNetwork)
        kinds: dict[str, list[dict[str, float]]] = {}
        for spoken in read_spoken_mouths(self.data, held=True):
            said = network.mouth_of(spoken).cpu().numpy()
            kinds.setdefault(spoken.kind, []).append(compare(said, spoken))
        results = {
            f"{kind}_{name}": float(np.nanmean([row[name] for row in rows]))
            for kind, rows in kinds.items()
            for name in rows[0]
            if not all(math.isnan(row[name]) for row in rows)
        }
        errors = [results[f"{kind}_error"] for kind in kinds]
        return {"error": float(np.mean(errors)), **results}

    def describe_data(self) -> dict[str, Any]:
        """Return how much speech of which kind there is."""
        return {"data": described(read_spoken_mouths(self.data, held=False))}

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `lips.safetensors`: an `AudioMapper` of the numbers of a mouth times `scale`."""
        network = networks["lips"]
        assert isinstance(network, LipNetwork)
        sizes = self.config.model.mapper.model_dump(mode="json")
        changed = {**card, "kind": "lips", "scale": list(SCALE), "config": sizes}
        changed["settings"] = card["config"]
        state = network.mapper.state_dict()
        return [save_checkpoint(folder / f"{EXPORT}.safetensors", state, changed)]


def lip_losses(
    said: Float[Tensor, "batch frames 9"],
    mouth: Float[Tensor, "batch frames 9"],
    known: Bool[Tensor, "batch frames"],
    closed: float,
) -> dict[str, Float[Tensor, ""]]:
    """Return the mean absolute errors of mouths and of their change from frame to frame.

    Args:
        said: Numbers times `SCALE`.
        mouth: What the numbers are.
        known: Frames that count.
        closed: How much more frames with closed lips count.
    """
    target = mouth * mouth.new_tensor(SCALE)
    weight = 1 + closed * (mouth[..., _GAP].abs() < _CLOSED_GAP)
    error = (said - target).abs().mean(-1) * weight
    change = (said - target).diff(dim=1).abs().mean(-1)
    return {
        "error": masked_mean(error, known),
        "change": masked_mean(change, known[:, 1:] & known[:, :-1]),
    }


def compare(said: np.ndarray, spoken: SpokenMouth) -> dict[str, float]:
    """Return error, correlation of the lip gap and its level at closures [IOD]; NaN if unknown.

    Args:
        said: Numbers times `SCALE`, (frames, 9).
        spoken: What they should be.
    """
    said, mouth = said[spoken.known], spoken.mouth[spoken.known]
    if not len(mouth):
        return {"error": math.nan, "lip_gap": math.nan, "closed": math.nan}
    gap, wanted = said[:, _GAP] / SCALE[_GAP], mouth[:, _GAP]
    moves = min(gap.std(), wanted.std()) > 0
    closed = wanted < _CLOSED
    return {
        "error": float(np.abs(said - mouth * np.array(SCALE)).mean()),
        "lip_gap": float(np.corrcoef(gap, wanted)[0, 1]) if moves else math.nan,
        "closed": float(gap[closed].mean()) if closed.any() else math.nan,
    }


def check_channels(spoken: Sequence[SpokenMouth], mapper: AudioMapperConfig) -> None:
    """Refuse features that a mapper was not made for.

    Raises:
        DataError: If they have another number of channels.
    """
    wanted, found = LipNetwork(mapper).channels, spoken[0].features.shape[1]
    if wanted != found:
        raise DataError(
            f"The features have {found} channels, the mapper takes {wanted}: set "
            "model.mapper.embedding_dim and text_dim to those of the acoustic model."
        )


def described(spoken: Sequence[SpokenMouth]) -> str:
    """Return how many minutes of which kind of speech there are, in words."""
    parts = []
    for kind in sorted({one.kind for one in spoken}):
        frames = [len(one.mouth) for one in spoken if one.kind == kind]
        who = "clips of GRID s1, measured" if kind == FILMED else f"sentences by {kind}"
        parts.append(f"{len(frames)} {who} ({sum(frames) / 1500:.1f} min)")
    return "; ".join(parts)


def load_lips(folder: Path) -> tuple[LipNetwork, tuple[float, ...]]:
    """Return an exported mapper, frozen, and the scale of its numbers.

    Raises:
        CheckpointError: If it is absent, damaged or does not fit its card.
    """
    path = folder / f"{EXPORT}.safetensors"
    card = load_card(path)
    try:
        network = LipNetwork(AudioMapperConfig.model_validate(card["config"]))
        scale = tuple(float(factor) for factor in card["scale"])
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise CheckpointError(f"The card of {path} does not fit: {error}.") from error
    load_module(network.mapper, path)
    return network.eval().requires_grad_(False), scale


class _Whole:
    """Held-out utterances, one a batch."""

    def __init__(self, spoken: Sequence[SpokenMouth]) -> None:
        self._spoken = spoken

    def __len__(self) -> int:
        return len(self._spoken)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """Return utterance `number`."""
        one = self._spoken[number % len(self._spoken)]
        return collate_spoken([one], [0], len(one.mouth))
