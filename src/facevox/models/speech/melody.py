"""Melody of a sentence: mean, range, and the rise of a question."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from facevox.core.text.sentence import Sentence
from facevox.models.speech.flite_binding import FRAME_SHIFT
from facevox.models.speech.segment import Segment

_QUESTION_WORDS = frozenset("what when where which who whom whose why how".split())
_QUESTION_RISE = 5.0
_EXCLAMATION_RANGE = 1.2
_LONGEST_RISE = 0.6


def set_melody(
    f0: Float32[np.ndarray, " frames"],
    segments: Sequence[Segment],
    sentence: Sentence,
    mean: float,
    spread: float,
    frame_shift: float = FRAME_SHIFT,
) -> Float32[np.ndarray, " frames"]:
    """Give a predicted melody another mean and range.

    The range is scaled on a log scale, around the mean.  A question that can be
    answered by yes or no rises from its last stressed syllable on.

    Args:
        f0: Fundamental frequency every `frame_shift` [Hz], 0 where unvoiced.
        segments: Phones with their times.
        sentence: Says whether it is a question.
        mean: Wanted mean over the voiced frames [Hz], the final rise apart.
        spread: Range relative to the given one; 0 is monotone.
        frame_shift: Time between two values [s].
    """
    voiced = f0 > 0
    if not voiced.any():
        return f0
    if sentence.mark == "!":
        spread *= _EXCLAMATION_RANGE
    octaves = np.log2(f0[voiced])
    scaled = 2.0 ** (spread * (octaves - octaves.mean()))
    result = np.zeros_like(f0)
    result[voiced] = scaled * (mean / scaled.mean())
    if _rises(sentence):
        result *= _rise(len(f0), segments, frame_shift)
    return result


def _rises(sentence: Sentence) -> bool:
    return sentence.mark == "?" and sentence.words[0].text not in _QUESTION_WORDS


def _rise(
    num_frames: int, segments: Sequence[Segment], frame_shift: float
) -> Float32[np.ndarray, " frames"]:
    spoken = [index for index, segment in enumerate(segments) if segment.token >= 0]
    stressed = [index for index in spoken if segments[index].stressed] or spoken
    end = segments[spoken[-1]].end
    last = stressed[-1]
    while last - 1 in stressed and segments[last - 1].token == segments[last].token:
        last -= 1
    start = max(segments[last - 1].end if last else 0.0, end - _LONGEST_RISE)
    times = np.arange(num_frames) * frame_shift
    part = np.clip((times - start) / max(end - start, FRAME_SHIFT), 0.0, 1.0)
    return (2.0 ** (_QUESTION_RISE / 12 * part)).astype(np.float32)
