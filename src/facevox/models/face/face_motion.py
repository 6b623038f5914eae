"""Speech -> motion of the whole face, sentence by sentence, without seams."""

from fractions import Fraction

import numpy as np

from facevox.core.controls import Controls
from facevox.core.motion import Motion
from facevox.core.speech import Speech
from facevox.models.face.eye_motion import Blinks, BrowBump, Gaze, brow_bumps, brows
from facevox.models.face.head_motion import Bump, breath, head_bumps, head_pose
from facevox.models.face.mouth_motion import MouthMotion
from facevox.models.face.noise import spline_noise
from facevox.models.face.prosody import read_prosody

LONGEST_BUMP = 2.0
"""Movements whose middle is longer ago than this are forgotten [s]."""


class FaceMotion:
    """Moves mouth, head and eyes to speech; `start` once for each talking face."""

    def __init__(self, mouth: MouthMotion) -> None:
        self.mouth = mouth

    @classmethod
    def load(cls) -> "FaceMotion":
        """Return the motion model that comes in the package.

        Raises:
            CheckpointError: If weights are absent or damaged.
        """
        return cls(MouthMotion.load())

    @property
    def num_parameters(self) -> int:
        """Learned numbers."""
        return self.mouth.num_parameters

    def start(
        self, seed: int, controls: Controls | None = None, fps: Fraction = Fraction(25)
    ) -> "MotionStream":
        """Return a fresh stream; the same seed, controls and speech give the same bytes."""
        return MotionStream(self.mouth, seed, controls or Controls(), Fraction(fps))


class MotionStream:
    """The motion of one talking face from its first sentence on.

    What it remembers does not grow: where it is among blinks and fixations, and
    the nods of the last two seconds.
    """

    def __init__(self, mouth: MouthMotion, seed: int, controls: Controls, fps: Fraction) -> None:
        self._mouth, self._seed, self._controls, self._fps = mouth, seed, controls, fps
        self._blinks = Blinks(seed, controls.blink)
        self._gaze = Gaze(seed, controls.gaze)
        self._head: list[Bump] = []
        self._brows: list[BrowBump] = []

    def advance(self, speech: Speech, first_frame: int, num_frames: int, offset: float) -> Motion:
        """Return the motion of the next sentence.

        Args:
            speech: The sentence.
            first_frame: Number of its first video frame within the whole.
            num_frames: Video frames to make; frame k is on the screen from k / fps to
                (k + 1) / fps and shows the face of the middle of that time.
            offset: Time at which its sound starts within the whole [s].
        """
        frames = np.arange(first_frame, first_frame + num_frames)
        times = (frames + 0.5) * float(1 / self._fps)
        self._listen(speech, offset)
        track = self._mouth.track(
            speech, times - offset, float(1 / self._fps), self._controls.mouth
        )
        channels = {
            "mouth": track.mouth,
            "lip_gap": track.lip_gap,
            "tongue": track.tongue,
            "lip_roll": track.lip_roll,
            "head_pose": head_pose(self._seed, times, self._head, self._controls.head),
            "breath": breath(self._seed, times, self._head, self._controls.breath),
            "eyelids": self._blinks.eyelids(times),
            "gaze": self._gaze.angles(times),
            "brows": brows(self._seed, times, self._brows, self._controls.brows),
            "smile": self._smile(times),
        }
        return Motion.rest(num_frames, self._fps).with_channels(**channels)

    def _listen(self, speech: Speech, offset: float) -> None:
        """Plan what the sentence's prosody causes and forget what is long over."""
        prosody = read_prosody(speech)
        self._head = [bump for bump in self._head if bump[0] > offset - LONGEST_BUMP]
        self._head += head_bumps(self._seed, prosody, offset)
        self._brows = [bump for bump in self._brows if bump[0] > offset - LONGEST_BUMP]
        self._brows += brow_bumps(self._seed, prosody, offset)
        self._blinks.plan(prosody, offset, offset + speech.duration)

    def _smile(self, times: np.ndarray) -> np.ndarray:
        """A smile that was asked for breathes a little; none is invented."""
        sway = 1 + 0.1 * np.tanh(spline_noise(self._seed, "smile", times, 0.3))
        return np.clip(self._controls.expression * sway, -1, 1)
