"""Speech -> mouth: a small network for co-articulation, then the laws of the mouth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from facevox.core.checkpoint import WEIGHTS, load_checkpoint
from facevox.core.motion import NUM_MOUTH
from facevox.core.speech import Phone, Speech
from facevox.models.face import mouth_laws
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.mouth_network import (
    CONTEXT,
    GAP_UNIT,
    NUM_OUTPUTS,
    mouth_network,
    weight_shapes,
)
from facevox.models.face.phone_features import HOP_RATE, loudness, phone_features

GAP_KNEE, GAP_LIMIT = 0.19, 0.31
"""Openings above the knee are compressed towards the limit [IOD]."""

PRESS = 0.006
"""How far the lips are aimed beyond contact in a closure [IOD]."""

INTERDENTAL_GAP = 0.05
"""Smallest opening that shows the tongue [IOD]."""

NARROWING = 0.05
"""How much narrower than the network says fully rounded lips are [IOD]."""

_CORNERS = (61, 291)


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthTrack:
    """What the mouth does, one row per video frame; see `core.motion.Motion`."""

    mouth: Float32[np.ndarray, "frames 6"]
    lip_gap: Float32[np.ndarray, " frames"]
    tongue: Float32[np.ndarray, " frames"]
    lip_roll: Float32[np.ndarray, " frames"]


class MouthMotion:
    """Moves a mouth to speech.

    Args:
        basis: The shapes whose coefficients are made.
        weights: Of the network, as `weight_shapes` says.
    """

    def __init__(self, basis: MouthBasis, weights: dict[str, np.ndarray]) -> None:
        self.basis = basis
        self.weights = {name: value.astype(np.float32) for name, value in weights.items()}
        gain = basis.lip_gap_gain.astype(np.float64)
        self._opening = gain / (gain @ gain)
        left, right = _CORNERS
        width = basis.displacement[:, right, 0] - basis.displacement[:, left, 0]
        narrow = width - gain * (gain @ width) / (gain @ gain)
        self._narrowing = -narrow / (narrow @ width)

    @classmethod
    def load(cls, path: Path | None = None) -> "MouthMotion":
        """Return the network that comes in the package, or the one at `path`.

        Raises:
            CheckpointError: If weights are absent, damaged or do not fit.
        """
        path = path or WEIGHTS / "mouth_motion.safetensors"
        return cls(MouthBasis.load(), load_checkpoint(path, weight_shapes()))

    @property
    def num_parameters(self) -> int:
        """Learned numbers of the network and the basis."""
        learned = sum(value.size for value in self.weights.values())
        return learned + self.basis.displacement.size

    def track(
        self, speech: Speech, times: Float64[np.ndarray, " frames"], frame: float, strength: float
    ) -> MouthTrack:
        """Return the mouth at the given instants of one sentence.

        Args:
            speech: The sentence.
            times: Rising instants, from the sentence's own start [s].
            frame: Time between two video frames [s].
            strength: Opening relative to the natural one; closures stay closed.
        """
        return self.obey(self.outputs_at(speech, times), speech.phones, times, frame, strength)

    def obey(
        self,
        outputs: Float64[np.ndarray, "frames 7"],
        phones: Sequence[Phone],
        times: Float64[np.ndarray, " frames"],
        frame: float,
        strength: float = 1.0,
    ) -> MouthTrack:
        """Apply the laws of the mouth to what the network says (arguments as for `track`)."""
        level = strength * mouth_laws.activity(times, phones)
        closed = mouth_laws.closed(times, phones, frame)
        roll = _level_of(mouth_laws.LABIODENTAL, times, phones, 0.06)
        wider = 1 + mouth_laws.phone_level(times, phones, mouth_laws.OPENING, 0.06)
        gap = np.maximum(outputs[:, NUM_MOUTH] * GAP_UNIT, 0) * wider
        gap = mouth_laws.narrowed(gap, times, phones)
        interdental = _level_of(mouth_laws.INTERDENTAL, times, phones, 0.05)
        gap += interdental * (np.maximum(gap, INTERDENTAL_GAP) - gap)
        gap = soft_limit(gap * level, max(strength, 1.0) ** 0.5) * (1 - closed)
        mouth = outputs[:, :NUM_MOUTH] * level[:, None]
        rounding = mouth_laws.phone_level(times, phones, mouth_laws.ROUNDING, 0.09)
        mouth += (NARROWING * rounding * np.minimum(level, 1.2))[:, None] * self._narrowing
        aimed = gap - PRESS * closed * np.minimum(strength, 1.0)
        mouth += (aimed - self.basis.gap(mouth))[:, None] * self._opening
        tongue = mouth_laws.phone_level(times, phones, mouth_laws.TONGUE, 0.05)
        free = np.minimum(level, 1.0) * (1 - closed)
        return MouthTrack(
            mouth=mouth.astype(np.float32),
            lip_gap=gap.astype(np.float32),
            tongue=(tongue * free).astype(np.float32),
            lip_roll=(roll * free).astype(np.float32),
        )

    def outputs_at(
        self, speech: Speech, times: Float64[np.ndarray, " frames"]
    ) -> Float64[np.ndarray, "frames 7"]:
        """Return what the network alone says at instants of the sentence."""
        last = max(speech.duration, float(times[-1]) if len(times) else 0.0)
        num_hops = int(np.ceil(last * HOP_RATE)) + 2
        hops = (np.arange(-CONTEXT, num_hops + CONTEXT) / HOP_RATE).astype(np.float32)
        energy = loudness(speech.waveform, speech.sample_rate, hops)
        rows = mouth_network(phone_features(speech.phones, hops, energy), self.weights)
        own = np.arange(num_hops)
        return np.stack(
            [np.interp(times * HOP_RATE, own, rows[:, c]) for c in range(NUM_OUTPUTS)], 1
        )


def _level_of(
    names: Sequence[str],
    times: Float64[np.ndarray, " frames"],
    phones: Sequence[Phone],
    ramp: float,
) -> Float64[np.ndarray, " frames"]:
    return mouth_laws.phone_level(times, phones, dict.fromkeys(names, 1.0), ramp)


def soft_limit(
    gap: Float64[np.ndarray, " frames"], room: float = 1.0
) -> Float64[np.ndarray, " frames"]:
    """Compress openings above `GAP_KNEE` so that they never pass `GAP_LIMIT` [IOD].

    Args:
        gap: Openings [IOD].
        room: Factor on both, for those who want a wider mouth.
    """
    knee, span = GAP_KNEE * room, (GAP_LIMIT - GAP_KNEE) * room
    return np.minimum(gap, knee) + span * np.tanh(np.maximum(gap - knee, 0) / span)
