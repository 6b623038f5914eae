"""What is said in a recording without text, by pocketsphinx and its own language model.

Good for clear speech of American readers only; the confidence says how much to trust it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import MissingPiece


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """Recognised words.

    Attributes:
        text: The words in small letters, with a full stop; empty if there are none.
        confidence: Mean posterior of the words, weighted by their length; 0 to 1.
    """

    text: str
    confidence: float


def recognise(waveform: Float32[np.ndarray, " samples"]) -> Heard:
    """Return the words of a recording at 16 kHz.

    Raises:
        MissingPiece: If pocketsphinx is not installed.
    """
    decoder = _decoder()
    sound = (np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()
    words, weights, sure = [], [], []
    for segment in decoder.seg() or ():
        word = segment.word.partition("(")[0]
        if word[:1] in "<[+":
            continue
        words.append(word)
        weights.append(segment.end_frame - segment.start_frame + 1)
        sure.append(min(1.0, float(segment.prob)))
    if not words:
        return Heard(text="", confidence=0.0)
    return Heard(text=" ".join(words) + ".", confidence=float(np.average(sure, weights=weights)))


def _decoder() -> Any:
    # one for each recording: what is heard must not depend on what was heard before
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise MissingPiece(
            "Recognising words needs pocketsphinx; run pip install 'facevox[train]'."
        ) from error
    return Decoder(samprate=16_000, loglevel="FATAL")
