"""MCD: how far the spectral envelope of a voice lies from that of a recording of the same text.

    MCD = 10 sqrt(2) / ln 10 * mean over frame pairs of sqrt(sum over d = 1..24 of (a_d - b_d)^2)

in decibels, where a and b are mel-cepstra of frames that dynamic time warping has paired, and
c0 (the level) is left out.  Gain does not change it.

Traps: numbers with other orders, another warping factor or with c0 live on other scales
(pymcd and ESPnet differ); silence counts like speech and is easily alike, so that noise left
at the ends hides what is compared: they are cut, pauses within are not; a path through another
text means nothing, yet gives a number; two people who say one sentence well are several dB
apart.

Reference:
    Kubichek, Mel-cepstral distance measure for objective speech quality assessment, 1993;
    Tokuda et al., Mel-generalized cepstral analysis, ICSLP 1994.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64, Int64

from facevox.core.errors import InputError
from facevox.evaluation.judges.world import SAMPLE_RATE, VoiceAnalyser
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.signals.time_warping import warp

ORDER = 24
"""Highest mel-cepstral coefficient."""

ALPHA = 0.42
"""Warping factor that brings 16 kHz close to the mel scale."""

DECIBELS = 10 * np.sqrt(2) / np.log(10)
"""From a distance of log-amplitude cepstra to decibels, 6.1419."""

SILENT_BELOW_LOUDEST = 35.0
"""Windows this far below the loudest one are cut from both ends [dB]."""

_WINDOW = 0.02
_FEWEST_FRAMES = 20


@dataclass(frozen=True, slots=True)
class PairedFrames:
    """A clip and its recording, frame by frame.

    Attributes:
        f0: Pitch of the clip's frames [Hz], 0 where unvoiced.
        recorded_f0: Of the recording's.
        path: Which frames belong together.
        distances: Distance of their mel-cepstra 1 to 24.
    """

    f0: Float64[np.ndarray, " frames"]
    recorded_f0: Float64[np.ndarray, " recorded"]
    path: Int64[np.ndarray, "steps 2"]
    distances: Float64[np.ndarray, " steps"]


def mel_cepstrum(
    envelope: Float64[np.ndarray, "frames bins"], order: int = ORDER, alpha: float = ALPHA
) -> Float64[np.ndarray, "frames coefficients"]:
    """Return mel-cepstra 0 to `order` of power spectra.

    The log amplitude becomes a cepstrum, whose frequency axis is then bent by an all-pass of
    first order.

    Args:
        envelope: Power at frequencies from 0 to half the sample rate.
        order: Highest coefficient.
        alpha: Warping factor; 0 leaves frequencies as they are.

    Reference:
        SPTK's sp2mc and freqt; the recursion is that of Oppenheim and Johnson, Discrete
        representation of signals, 1972.
    """
    cepstrum = np.fft.irfft(np.log(np.maximum(envelope, np.finfo(float).tiny)))
    cepstrum = cepstrum[:, : envelope.shape[1]]
    cepstrum[:, 0] /= 2
    return cepstrum @ frequency_warping(envelope.shape[1], order, float(alpha)).T


@lru_cache(maxsize=4)
def frequency_warping(
    coefficients: int, order: int, alpha: float
) -> Float64[np.ndarray, "rows columns"]:
    """Return the matrix (order + 1, coefficients) that bends the frequency axis of a cepstrum."""
    matrix = np.zeros((order + 1, coefficients))
    for column in range(coefficients - 1, -1, -1):
        before = matrix.copy()
        matrix[0] = alpha * before[0]
        matrix[0, column] += 1.0
        if order >= 1:
            matrix[1] = (1 - alpha**2) * before[0] + alpha * before[1]
        for row in range(2, order + 1):
            matrix[row] = before[row - 1] + alpha * (before[row] - matrix[row - 1])
    return matrix


def trim_silence(
    waveform: Float32[np.ndarray, " samples"], below_loudest: float = SILENT_BELOW_LOUDEST
) -> Float32[np.ndarray, " speech"]:
    """Cut silence from both ends; pauses within stay.

    Windows of 20 ms are silent whose power lies `below_loudest` dB below the loudest one.
    Power is that of the differences of neighbouring samples, which leaves rumble of the room
    out.
    """
    window = round(_WINDOW * SAMPLE_RATE)
    count = len(waveform) // window
    if not count:
        return waveform
    slopes = np.diff(waveform[: count * window].astype(np.float64), prepend=waveform[0])
    power = (slopes.reshape(count, window) ** 2).mean(1)
    loud = np.flatnonzero(power >= power.max() * 10 ** (-below_loudest / 10))
    end = len(waveform) if loud[-1] == count - 1 else (loud[-1] + 1) * window
    return waveform[loud[0] * window : end]


def mel_cepstral_distortion(distances: Float64[np.ndarray, " steps"]) -> float:
    """Return the MCD [dB].

    Args:
        distances: Euclidean distances of the mel-cepstra (without c0) of paired frames.
    """
    return float(DECIBELS * distances.mean())


def pair_frames(
    waveform: Float32[np.ndarray, " samples"],
    recording: Float32[np.ndarray, " recorded"],
    world: VoiceAnalyser,
) -> PairedFrames:
    """Analyse two sounds and pair their frames.

    Args:
        waveform: What is scored, 16 kHz.
        recording: The same text in a recording, 16 kHz.
        world: Finds pitch and envelope.

    Raises:
        InputError: If one holds less than a tenth of a second of speech.
    """
    found = [world.analyse(trim_silence(sound)) for sound in (waveform, recording)]
    if min(len(analysis.f0) for analysis in found) < _FEWEST_FRAMES:
        raise InputError("There is less than a tenth of a second of speech to compare.")
    cepstra = [mel_cepstrum(analysis.envelope)[:, 1:] for analysis in found]
    path, distances = warp(*cepstra)
    return PairedFrames(found[0].f0, found[1].f0, path, distances)


def paired_with_recording(media: ClipMedia) -> PairedFrames:
    """Return the frames of a clip with those of its recording; made once per clip.

    Raises:
        InputError: If there is no recording of the same text, or too little speech.
    """
    return media.once("frames paired with the recording", lambda: _paired(media))


def _paired(media: ClipMedia) -> PairedFrames:
    recording = media.spoken_reference.waveform(SAMPLE_RATE)
    waveform = media.waveform(SAMPLE_RATE)
    return pair_frames(waveform, recording, media.judges.load("world"))


class MelCepstralDistortion:
    """MCD of a clip against a recording of the same text by the same person."""

    name = "mcd"
    version = 1
    judges: tuple[str, ...] = ("world",)
    uses_landmarks = False
    figures: tuple[Figure, ...] = (
        Figure(
            name="MCD",
            unit="dB",
            better="lower",
            protocol=(
                "WORLD (Harvest, CheapTrick), 16 kHz, 5 ms, mel-cepstrum of order 24, alpha "
                f"0.42, c0 left out; ends {SILENT_BELOW_LOUDEST:g} dB below the loudest cut; time "
                "warping; factor 10 sqrt(2)/ln 10; mean over frame pairs, then clips."
            ),
            digits=2,
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the distortion of one clip [dB] and how many frame pairs it rests on.

        Raises:
            InputError: If there is no recording of the same text, or too little speech.
        """
        paired = paired_with_recording(media)
        return {
            "distortion": np.array(mel_cepstral_distortion(paired.distances)),
            "pairs": np.array(len(paired.path)),
        }

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the mean over clips."""
        return {"MCD": mean_over_clips(seen, "distortion", seed=seed)}
