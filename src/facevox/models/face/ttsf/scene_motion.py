"""What is spoken -> lips, head and expression of every video frame, sentence by sentence."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from facevox.core.controls import Controls
from facevox.core.motion import Motion
from facevox.core.speech import Speech
from facevox.models.face.eye_motion import Blinks
from facevox.models.face.prosody import read_prosody
from facevox.models.face.ttsf.audio_mapper import RATE
from facevox.models.face.ttsf.codes import OTHER_NUMBERS, flow_controls, motion_of, numbers_of
from facevox.models.face.ttsf.talking_head import TalkingHead

FPS = 25
"""Rate at which motions are drawn [Hz]."""

_MEL_RATE = FPS * RATE
_HEAD, _BREATH, _LIDS, _GAZE, _BROWS, _SMILE = slice(0, 3), 3, 4, slice(5, 7), 7, 8


@dataclass(frozen=True, kw_only=True)
class SceneFeatures:
    """What the generator is told of each frame.

    Attributes:
        f_m: Motion of head and expression.
        f_lip: Lips.
        controls: Of the mean flows (`codes.flow_controls`).
        motion: The same in the words that all renderers share.
    """

    f_m: Float[Tensor, "frames style"]
    f_lip: Float[Tensor, "frames style"]
    controls: Float[Tensor, "frames controls"]
    motion: Motion

    def __len__(self) -> int:
        """Return the frames."""
        return len(self.f_m)

    def __getitem__(self, rows: slice) -> "SceneFeatures":
        """Return those of some frames."""
        return SceneFeatures(
            f_m=self.f_m[rows],
            f_lip=self.f_lip[rows],
            controls=self.controls[rows],
            motion=self.motion[rows],
        )


class SceneMotion:
    """Motion features of one portrait, from the first sentence on.

    Motions are drawn relative to the photo's own.  What a sentence was given never changes with
    those that follow.

    Args:
        head: The networks.
        alpha: The photo's own motion.
        place: Where the photo's mouth lies (`mouth_place`).
        seed: Draws head and expression.
        controls: Strengths.
        fps: Video frames per second.
        temperature: Factor on the noise that motions start from.
        steps: Steps of the solver.
    """

    def __init__(
        self,
        head: TalkingHead,
        alpha: Float[Tensor, "1 motion"],
        place: Float[Tensor, " 3"],
        seed: int,
        controls: Controls,
        fps: Fraction,
        temperature: float = 1.0,
        steps: int = 10,
    ) -> None:
        self._head, self._alpha, self._controls = head, alpha, controls
        self._place = place
        self._blinks = Blinks(seed, controls.blink)
        self._fps = Fraction(fps)
        self._directions = head.generator.extractor.dictionary.directions()
        still = torch.zeros(1, len(self._directions))
        self._stream = head.sampler.stream(still, [seed], self._directions, steps, temperature)

    @torch.no_grad()
    def advance(
        self,
        speech: Speech,
        features: Float[Tensor, "mel_frames channels"],
        first_frame: int,
        num_frames: int,
        offset: float,
    ) -> SceneFeatures:
        """Return the features of the next sentence's frames.

        Args:
            speech: The sentence.
            features: What it is made from, every 10 ms.
            first_frame: Number of its first video frame within the whole.
            num_frames: Video frames.
            offset: Time at which its sound starts within the whole [s].
        """
        own_rate = self._fps == FPS
        start = float(first_frame / self._fps) if own_rate else offset
        count = num_frames if own_rate else -int(-num_frames * FPS // self._fps) + 1
        lips = self._lips(features, offset - start, count)
        drawn = self._stream.extend(lips)[0]
        times = (np.arange(num_frames) + first_frame + 0.5) / float(self._fps)
        if not own_rate:
            drawn, lips = _at(drawn, times - offset), _at(lips[0], times - offset)[None]
        self._blinks.plan(read_prosody(speech), offset, offset + speech.duration)
        f_m = self._strengthened(drawn, self._blinks.eyelids(times))
        rest = self._head.mouth.rest()
        return self._described(f_m, rest + self._controls.mouth * (lips[0] - rest))

    def _lips(self, features: Tensor, lead: float, count: int) -> Tensor:
        """Return f_lip of `count` frames of 40 ms, the first of which starts `lead` s early."""
        first = -round(lead * _MEL_RATE)
        index = torch.arange(first, first + RATE * count).clamp(0, len(features) - 1)
        wanted = features[index].unsqueeze(0)
        return self._head.mapper(wanted, torch.ones(wanted.shape[:2], dtype=torch.bool))

    def _strengthened(self, drawn: Float[Tensor, "frames style"], eyelids: np.ndarray) -> Tensor:
        """Return f_m: the photo's motion and the drawn change, each control by its strength.

        Blinks are planned, not drawn: a flow from noise draws them half and in between.
        """
        controls, code = self._controls, self._head.motion
        gains = torch.ones(OTHER_NUMBERS)
        gains[_HEAD], gains[_BREATH], gains[_LIDS] = controls.head, controls.breath, 0.0
        gains[_GAZE], gains[_BROWS] = controls.gaze, controls.brows
        change = code.scaled(drawn @ self._directions, gains)
        asked = torch.zeros(len(drawn), OTHER_NUMBERS)
        asked[:, _SMILE] = controls.expression
        asked[:, _LIDS] = torch.from_numpy(eyelids)
        return (self._alpha + change + code(asked)) @ self._directions.T

    def _described(self, f_m: Tensor, f_lip: Tensor) -> SceneFeatures:
        others = self._head.motion.read(f_m @ self._directions - self._alpha)
        mouth = self._head.mouth.read(f_lip)
        return SceneFeatures(
            f_m=f_m,
            f_lip=f_lip,
            controls=flow_controls(mouth, others, self._place),
            motion=motion_of(_array(mouth), _array(others), self._fps),
        )


@torch.no_grad()
def features_of(
    head: TalkingHead,
    alpha: Float[Tensor, "1 motion"],
    place: Float[Tensor, " 3"],
    motion: Motion,
) -> SceneFeatures:
    """Return the features of a motion that came from anywhere.

    Args:
        head: The networks.
        alpha: The photo's own motion.
        place: Where the photo's mouth lies.
        motion: What the face does, relative to the photo.
    """
    mouth, others = (torch.from_numpy(numbers) for numbers in numbers_of(motion))
    directions = head.generator.extractor.dictionary.directions()
    return SceneFeatures(
        f_m=(alpha + head.motion(others)) @ directions.T,
        f_lip=head.mouth(mouth),
        controls=flow_controls(mouth, others, place),
        motion=motion,
    )


def _at(rows: Float[Tensor, "frames style"], times: np.ndarray) -> Float[Tensor, "times style"]:
    """Return rows of 40 ms frames at other times [s], between their middles linearly."""
    place = torch.from_numpy(times * FPS - 0.5).float().clamp(0, len(rows) - 1)
    low = place.floor().long().clamp(max=max(len(rows) - 2, 0))
    share = (place - low).unsqueeze(1)
    return torch.lerp(rows[low], rows[(low + 1).clamp(max=len(rows) - 1)], share)


def _array(values: Tensor) -> Float32[np.ndarray, "frames numbers"]:
    return values.float().numpy()
