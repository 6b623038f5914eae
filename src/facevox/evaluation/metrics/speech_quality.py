"""DNSMOS P.835: how clean speech sounds, guessed by a network, from 1 (bad) to 5 (excellent).

Three ratings as in ITU-T P.835: the signal (how undistorted speech is), the background (how
little it intrudes; higher is better), and the whole.

Traps: the network hears noise and distortion, not whether speech is natural, intelligible or
in the right voice.  Use it to find noise and clicks, never as a stand-in for listeners.
Clips under 9.01 s are repeated until long enough, as the published script does: four seconds
of a recording scored 0.16 to 0.18 less than nine.  The sound is taken as loud as it is, and
20 dB less cost 0.44.  Compare clips of one length and level.

Reference:
    Reddy, Gopal and Cutler, DNSMOS P.835, ICASSP 2022; ITU-T P.835, 2003.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from facevox.evaluation.judges.dnsmos import SEGMENT
from facevox.evaluation.media import SAMPLE_RATE, ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips

_KINDS = ("overall", "signal", "background")
_PROTOCOL = (
    "DNSMOS P.835 (sig_bak_ovr.onnx of speechmos 0.0.1.1), 16 kHz, level as it is, mean of "
    "segments of 9.01 s every second, shorter clips repeated; deaf to naturalness."
)


class SpeechQuality:
    """DNSMOS of the sound track."""

    name = "dnsmos"
    version = 1
    judges: tuple[str, ...] = ("dnsmos",)
    uses_landmarks = False
    figures: tuple[Figure, ...] = tuple(
        Figure(name=f"DNSMOS {kind}", unit="MOS", better="higher", protocol=_PROTOCOL, digits=2)
        for kind in _KINDS
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the three ratings of one clip.

        Raises:
            InputError: If the clip has no sound.
        """
        waveform = media.waveform(SAMPLE_RATE)
        if len(waveform) < SEGMENT * SAMPLE_RATE:
            media.note(f"sound shorter than {SEGMENT:g} s repeated for DNSMOS")
        rating = media.judges.load("dnsmos").rate(waveform)
        return {kind: np.array(getattr(rating, kind)) for kind in _KINDS}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return means over clips."""
        return {f"DNSMOS {kind}": mean_over_clips(seen, kind, seed=seed) for kind in _KINDS}
