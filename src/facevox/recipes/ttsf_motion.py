"""The motion sampler of the talking face alone: it draws numbers of head and expression.

    facevox train ttsf-lips --data SPOKEN -o LIPS
    facevox train ttsf-motion --data SPOKEN -o MOTION --set model.lips_from=LIPS/export

Motions are those of GRID's speaker.  The numbers are linear in alpha, and lips in f_lip, so that
a sampler of numbers becomes one of features by its first and last layers.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import save_checkpoint
from facevox.core.errors import DataError
from facevox.data.face_augmentation import mirrored_others
from facevox.data.spoken_mouths import MAKE_IT, SpokenMouth, read_spoken_mouths
from facevox.models.face.ttsf.codes import OTHER_NUMBERS
from facevox.models.face.ttsf.motion_sampler import MotionSampler
from facevox.models.face.ttsf.sampler_config import MotionSamplerConfig, tiny
from facevox.nn.masks import length_mask
from facevox.recipes.ttsf_lips import SCALE as MOUTH_SCALE
from facevox.recipes.ttsf_lips import check_channels, load_lips
from facevox.recipes.ttsf_lips_settings import adamw
from facevox.recipes.ttsf_motion_settings import SIZES, MotionSettings
from facevox.training.batches import DrawnBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.task import Batches, Task

SCALE = (0.5, 0.8, 8 / 9, 1.0, 1.0, 1 / 3, 0.5, 2.0, 1.0)
"""Factors on head pose (3), breath, eyelids, gaze (2), brows and smile that balance them."""

EXPORT = "motion_sampler"
"""Name of the exported weights."""

_PARTS = {"head": (0, 1, 2), "eyelids": (4,), "gaze": (5, 6), "brows": (7,)}
"""What can be seen of the numbers, for validation."""

_EYELIDS, _BLINK = 4, 0.5
_FRAMES_PER_MINUTE = 1500


@dataclass(frozen=True, kw_only=True, slots=True)
class _FilmedHead:
    """One clip: lips times their scale, numbers times `SCALE`, and where they are known."""

    lips: Float32[np.ndarray, "frames 9"]
    numbers: Float32[np.ndarray, "frames 9"]
    known: Bool[np.ndarray, " frames"]

    def starts(self, frames: int) -> np.ndarray:
        """Return where windows begin in which all frames are known."""
        run = np.convolve(self.known, np.ones(frames, int), "valid")
        return np.flatnonzero(run == frames) if len(self.known) >= frames else np.zeros(0, int)


class MotionNetwork(nn.Module):
    """The sampler as it is trained: numbers in place of features.

    Args:
        config: Sizes.
    """

    directions: Tensor

    def __init__(self, config: MotionSamplerConfig) -> None:
        super().__init__()
        self.sampler = MotionSampler(config)
        self.register_buffer("directions", torch.eye(OTHER_NUMBERS), persistent=False)

    def forward(
        self,
        numbers: Float[Tensor, "batch frames 9"],
        lips: Float[Tensor, "batch frames 9"],
        mask: Bool[Tensor, "batch frames"],
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the losses; see `MotionSampler.losses`."""
        return self.sampler.losses(numbers, lips, mask, self.directions)

    def draw(
        self,
        lips: Float[Tensor, "batch frames 9"],
        mask: Bool[Tensor, "batch frames"],
        seeds: Sequence[int],
    ) -> Float[Tensor, "batch frames 9"]:
        """Return the numbers, times `SCALE`, of heads that start as in the photo."""
        rest = lips.new_zeros(len(lips), OTHER_NUMBERS)
        return self.sampler.sample(rest, lips, seeds, self.directions, mask)


class MotionTask(Task):
    """Lips and noise to motions of a head."""

    name = "ttsf-motion"
    data_hint = "python -m facevox.recipes.spoken_mouths makes it"
    Config = MotionSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {},
        "tiny": {
            "model": {"sampler": tiny().model_copy(update=SIZES).model_dump()},
            "data": {"batch": 3, "lengths": (8, 12)},
            "run": {"steps": 4, "precision": "32-true"},
        },
    }
    averaged = ("motion",)
    best = "distance"

    def __init__(self, config: Any, data: Path) -> None:
        """Keep the settings and the folder of the data; read nothing yet."""
        super().__init__(config, data)
        self._kept: dict[bool, list[_FilmedHead]] = {}

    def networks(self) -> dict[str, nn.Module]:
        """Make the sampler."""
        return {"motion": MotionNetwork(self.config.model.sampler)}

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
        """Draw windows of the clips.

        Raises:
            DataError: If the folder holds no filmed head, or none as long as a window.
            CheckpointError: If the lips cannot be read.
        """
        data, clips = self.config.data, self._clips(held=split != "train")
        windows = {
            frames: [(clip, starts) for clip in clips if len(starts := clip.starts(frames))]
            for frames in data.lengths
        }
        lengths = [frames for frames in data.lengths if windows[frames]]
        if not lengths:
            raise DataError(
                f"{self.data} shows no head for {min(data.lengths)} frames in a row; "
                "set data.lengths to shorter windows."
            )

        def draw(generator: np.random.Generator) -> dict[str, Tensor]:
            frames = int(generator.choice(lengths))
            return self._windows(windows[frames], frames, generator)

        seed = self.run.seed + (split != "train")
        return DrawnBatches(draw, seed=seed, epoch=data.epoch)

    def weight(self, batch: Mapping[str, Tensor]) -> float:
        """Return the frames of a batch."""
        return float(batch["mask"].sum())

    def step(self, context: Context, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        """Learn the flow, the prior and the normaliser at once."""
        names = ("numbers", "lips", "mask")
        losses = context["motion"](*(batch[name] for name in names))
        weights = self.config.loss
        total = torch.stack([getattr(weights, name) * loss for name, loss in losses.items()])
        context.backward(total.sum())
        context.update("motion")
        return {name: loss.detach() for name, loss in losses.items()}

    def validate(self, context: Context) -> dict[str, float]:
        """Draw motions for held-out clips and set them beside what was filmed.

        Returns:
            `PART_spread` and `PART_step`, deviation and change from frame to frame, drawn over
            recorded; `blinks` and `recorded_blinks` a minute; `distance`, the mean size of the
            logarithms of all spreads and steps.
        """
        network = context["motion"]
        assert isinstance(network, MotionNetwork)
        clips = self._clips(held=True)
        lips = _padded([clip.lips for clip in clips]).to(context.device)
        lengths = torch.tensor([len(clip.lips) for clip in clips], device=context.device)
        mask = length_mask(lengths, lips.shape[1])
        drawn = network.draw(lips, mask, range(len(clips))).cpu().numpy()
        made = [row[: len(clip.lips)] for row, clip in zip(drawn, clips, strict=True)]
        return liveliness(made, [clip.numbers for clip in clips], [clip.known for clip in clips])

    def describe_data(self) -> dict[str, Any]:
        """Return the clips."""
        clips = self._clips(held=False)
        minutes = sum(len(clip.lips) for clip in clips) / _FRAMES_PER_MINUTE
        return {"data": f"head and eyes in {len(clips)} clips of GRID s1 ({minutes:.1f} min)"}

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `motion_sampler.safetensors`: a `MotionSampler` of numbers.

        It draws the numbers of head and expression times `scale`, and is given those of the
        mouth times `lips_scale`.
        """
        network = networks["motion"]
        assert isinstance(network, MotionNetwork)
        sizes = self.config.model.sampler.model_dump(mode="json")
        changed = {
            **card,
            "kind": "motion-sampler",
            "scale": list(SCALE),
            "lips_scale": list(self._lips()[1]),
            "config": sizes,
            "settings": card["config"],
        }
        state = network.sampler.state_dict()
        return [save_checkpoint(folder / f"{EXPORT}.safetensors", state, changed)]

    def _lips(self) -> tuple[Any, tuple[float, ...]]:
        if self.config.model.lips_from is None:
            return None, MOUTH_SCALE
        return load_lips(Path(self.config.model.lips_from))

    def _clips(self, *, held: bool) -> list[_FilmedHead]:
        """Return the filmed clips; read and heard once."""
        if held not in self._kept:
            spoken = [one for one in read_spoken_mouths(self.data, held=held) if _moves(one)]
            if not spoken:
                raise DataError(f"{self.data} holds no filmed head; {MAKE_IT} and --tracks.")
            network, scale = self._lips()
            if network is not None:
                check_channels(spoken, network.mapper.config)
            self._kept[held] = [_filmed(one, network, scale) for one in spoken]
        return self._kept[held]

    def _windows(
        self,
        windows: Sequence[tuple[_FilmedHead, np.ndarray]],
        frames: int,
        generator: np.random.Generator,
    ) -> dict[str, Tensor]:
        numbers, lips = [], []
        for _ in range(self.config.data.batch):
            clip, starts = windows[int(generator.integers(len(windows)))]
            start = int(generator.choice(starts))
            window = clip.numbers[start : start + frames]
            if generator.random() < self.config.data.mirror:
                window = window * mirrored_others(np.ones(OTHER_NUMBERS, np.float32))
            numbers.append(torch.from_numpy(np.ascontiguousarray(window)))
            lips.append(torch.from_numpy(clip.lips[start : start + frames]))
        return {
            "numbers": torch.stack(numbers),
            "lips": torch.stack(lips),
            "mask": torch.ones(len(numbers), frames, dtype=torch.bool),
        }


def liveliness(
    made: Sequence[np.ndarray], filmed: Sequence[np.ndarray], known: Sequence[np.ndarray]
) -> dict[str, float]:
    """Return how much and how fast heads, lids, eyes and brows move, drawn over recorded.

    Args:
        made: Drawn numbers times `SCALE`, (frames, 9) for each clip.
        filmed: Recorded ones.
        known: Frames that were seen; the others are left out in both.
    """
    spread, step, blinks = zip(*(_movement(rows, known) for rows in (made, filmed)), strict=True)
    results, sizes = {}, []
    for part, places in _PARTS.items():
        for name, (drawn, recorded) in (("spread", spread), ("step", step)):
            seen = [place for place in places if recorded[place] > 0]
            if seen:
                ratios = np.maximum(drawn[seen] / recorded[seen], 1e-6)
                results[f"{part}_{name}"] = float(ratios.mean())
                sizes.append(float(np.abs(np.log(ratios)).mean()))
    results |= {"blinks": blinks[0], "recorded_blinks": blinks[1]}
    return {"distance": float(np.mean(sizes)) if sizes else 0.0, **results}


def _movement(
    clips: Sequence[np.ndarray], known: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return deviation and mean change from frame to frame of each number, and blinks a minute."""
    rows = np.concatenate([clip[seen] for clip, seen in zip(clips, known, strict=True)])
    pairs = [seen[1:] & seen[:-1] for seen in known]
    change = [np.diff(clip, axis=0)[pair] for clip, pair in zip(clips, pairs, strict=True)]
    lids = [clip[:, _EYELIDS] / SCALE[_EYELIDS] > _BLINK for clip in clips]
    shut = sum(
        int((one[1:] & ~one[:-1] & pair).sum()) for one, pair in zip(lids, pairs, strict=True)
    )
    minutes = max(1, sum(map(len, change))) / _FRAMES_PER_MINUTE
    return rows.std(0), np.abs(np.concatenate(change)).mean(0), shut / minutes


def _moves(spoken: SpokenMouth) -> bool:
    return spoken.others is not None and bool(spoken.known.any())


def _filmed(spoken: SpokenMouth, network: Any, scale: tuple[float, ...]) -> _FilmedHead:
    assert spoken.others is not None
    told = spoken.mouth * np.array(scale, np.float32)
    return _FilmedHead(
        lips=told if network is None else network.mouth_of(spoken).numpy(),
        numbers=spoken.others * np.array(SCALE, np.float32),
        known=spoken.known,
    )


def _padded(rows: Sequence[np.ndarray]) -> Tensor:
    return pad_sequence([torch.from_numpy(row) for row in rows], batch_first=True)
