"""Laying spoken runs on silence, with pauses as long as the text asks for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from facevox.core.speech import SILENCE, Phone, Speech
from facevox.core.text.sentence import Word
from facevox.core.waveform import fade_edges
from facevox.models.speech.flite_binding import FRAME_SHIFT
from facevox.models.speech.segment import Segment

LEAD = 0.12
"""Silence before the first phone [s]: lips open about a tenth of a second before they are heard."""

PAUSES = {"": 0.0, ",": 0.17, ";": 0.30}
"""Silence for `Word.pause_after` [s]."""

F0_HOP = 0.01
"""Time between two values of `Speech.f0` [s]."""

_FADE_IN, _FADE_OUT = 0.015, 0.04


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Phones between two pauses.

    Attributes:
        segments: The phones.
        start: First instant at the voice's own tempo [s].
        pause: Silence after it, at the voice's own tempo [s].
    """

    segments: Sequence[Segment]
    start: float
    pause: float


def spoken_runs(
    segments: Sequence[Segment], words: Sequence[Word], final_pause: float
) -> list[Run]:
    """Split phones at silences and look up how long each silence shall be."""
    runs: list[Run] = []
    current: list[Segment] = []
    start = previous_end = 0.0
    for segment in [*segments, Segment(name=SILENCE, end=0.0, stressed=False, token=-1)]:
        if segment.token < 0:
            if current:
                pause = PAUSES[words[current[-1].token].pause_after] or PAUSES[","]
                runs.append(Run(segments=current, start=start, pause=pause))
            current = []
        else:
            if not current:
                start = previous_end
            current.append(segment)
        previous_end = segment.end
    runs[-1] = Run(segments=runs[-1].segments, start=runs[-1].start, pause=final_pause)
    return runs


def lay_out(
    sound: Float32[np.ndarray, " _samples"],
    f0: Float32[np.ndarray, " _frames"],
    runs: Sequence[Run],
    words: Sequence[Word],
    sample_rate: int,
    rate: float,
) -> Speech:
    """Put the runs one after the other with their pauses.

    Args:
        sound: The whole sentence at the wanted tempo.
        f0: Fundamental frequency every `FRAME_SHIFT` at the voice's own tempo [Hz].
        runs: What is spoken between pauses, at the voice's own tempo.
        words: The words of the sentence.
        sample_rate: Samples per second [Hz].
        rate: Tempo of `sound` relative to the voice's own.
    """
    length = LEAD + sum(run.segments[-1].end - run.start + run.pause for run in runs)
    waveform = np.zeros(round(length / rate * sample_rate), np.float32)
    duration = len(waveform) / sample_rate
    melody = np.zeros(int(duration / F0_HOP) + 1, np.float32)
    phones = [Phone(name=SILENCE, start=0.0, end=LEAD / rate)]
    for run in runs:
        shift = phones[-1].end - run.start / rate
        end = run.segments[-1].end
        _paste(waveform, sound, run.start / rate, end / rate, shift, sample_rate)
        _copy_melody(melody, f0, run.start, end, shift, rate)
        phones += _timed_phones(run, words, phones[-1].end, shift, rate)
        if run.pause > 0:
            pause_end = phones[-1].end + run.pause / rate
            phones.append(Phone(name=SILENCE, start=phones[-1].end, end=pause_end))
    last = phones[-1]
    phones[-1] = Phone(
        name=last.name, start=last.start, end=duration, stress=last.stress, word=last.word
    )
    return Speech(
        waveform=waveform,
        sample_rate=sample_rate,
        phones=tuple(phones),
        f0=melody,
        words=tuple(word.text for word in words),
    )


def _paste(
    waveform: np.ndarray, sound: np.ndarray, start: float, end: float, shift: float, rate: int
) -> None:
    """Add a stretch of sound, with soft edges that reach into the pauses."""
    first = max(0, round((start - _FADE_IN) * rate))
    last = min(len(sound), round((end + _FADE_OUT) * rate))
    target = first + round(shift * rate)
    first, target = first - min(target, 0), max(target, 0)
    last = min(last, first + len(waveform) - target)
    piece = fade_edges(sound[first:last], round(_FADE_IN * rate), round(_FADE_OUT * rate))
    waveform[target : target + len(piece)] += piece


def _copy_melody(
    melody: np.ndarray, f0: np.ndarray, start: float, end: float, shift: float, rate: float
) -> None:
    times = (np.arange(len(melody)) * F0_HOP - shift) * rate
    inside = (times >= start) & (times < end)
    frames = np.clip(np.round(times[inside] / FRAME_SHIFT).astype(int), 0, len(f0) - 1)
    melody[inside] = f0[frames]


def _timed_phones(
    run: Run, words: Sequence[Word], begin: float, shift: float, rate: float
) -> list[Phone]:
    phones: list[Phone] = []
    position, token = 0, -1
    for segment in run.segments:
        position = position + 1 if segment.token == token else 0
        token = segment.token
        given = words[token].phones
        mark = given[position][-1] if position < len(given) else "0"
        phones.append(
            Phone(
                name=segment.name,
                start=phones[-1].end if phones else begin,
                end=segment.end / rate + shift,
                stress=int(mark) if mark.isdigit() else 0,
                word=token,
            )
        )
    return phones
