"""DNSMOS P.835: a network that guesses how people would rate speech in noise.

It was trained on ratings of noise suppressors.  It hears noise, distortion and reverberation;
it does not hear whether speech is natural, intelligible or in the right voice.

Reference:
    Reddy, Gopal and Cutler, DNSMOS P.835, ICASSP 2022, and the script published with it in
    the DNS Challenge of Microsoft.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import CheckpointError, InputError, MissingPiece

SAMPLE_RATE = 16_000
SEGMENT = 9.01
"""Length of what the network hears at once [s]."""

_HOP = 1  # s
_SIGNAL = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)

Waveform = Float32[np.ndarray, " samples"]


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityRating:
    """Ratings of one clip, each from 1 (bad) to 5 (excellent).

    Attributes:
        signal: How undistorted speech is.
        background: How little the background intrudes.
        overall: How good the whole is.
    """

    signal: float
    background: float
    overall: float


def segments(waveform: Waveform) -> Iterator[Waveform]:
    """Yield what the network hears: 9.01 s every second.

    As in the published script, a shorter clip is doubled until it is long enough, and the
    number of segments is that of whole seconds beyond 9.01.

    Raises:
        InputError: If there is no sound.
    """
    if not len(waveform):
        raise InputError("There is no sound to rate.")
    length = int(SEGMENT * SAMPLE_RATE)
    while len(waveform) < length:
        waveform = np.concatenate((waveform, waveform))
    count = int(len(waveform) // SAMPLE_RATE - SEGMENT) + 1
    for index in range(count):
        first = index * _HOP * SAMPLE_RATE
        piece = waveform[first : int((index + SEGMENT) * SAMPLE_RATE)]
        if len(piece) >= length:
            yield piece[:length]


class Dnsmos:
    """The network in an ONNX session.

    Args:
        session: Takes `input_1` (batch, 144160), gives signal, background and overall.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def rate(self, waveform: Waveform) -> QualityRating:
        """Rate one clip: the mean over its segments of the fitted outputs.

        Args:
            waveform: Mono samples at 16 kHz; beyond [-1, 1] they are clipped.

        Raises:
            InputError: If there is no sound.
        """
        raw = np.array(
            [
                self._session.run(None, {"input_1": piece[None]})[0][0]
                for piece in segments(np.clip(waveform, -1, 1))
            ],
            np.float64,
        )
        signal, background, overall = (
            float(np.polyval(fit, raw[:, column]).mean())
            for column, fit in enumerate((_SIGNAL, _BACKGROUND, _OVERALL))
        )
        return QualityRating(signal=signal, background=background, overall=overall)


def load_dnsmos(path: Path) -> Dnsmos:
    """Return DNSMOS P.835 from `sig_bak_ovr.onnx`.

    Raises:
        MissingPiece: If onnxruntime is not installed.
        CheckpointError: If the file is not that network.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPiece(
            "DNSMOS needs onnxruntime; run pip install 'facevox[evaluate]'."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # so that sums do not depend on the machine's cores
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises many kinds for a damaged file
        raise CheckpointError(f"{path} cannot be read as an ONNX network.") from error
    inputs = [(item.name, item.shape[-1]) for item in session.get_inputs()]
    if inputs != [("input_1", int(SEGMENT * SAMPLE_RATE))] or len(session.get_outputs()) != 1:
        raise CheckpointError(f"{path} is not DNSMOS P.835: its inputs are {inputs}.")
    return Dnsmos(session)
