"""Letting voices speak sentences; what was spoken already is kept.

Beside each `SENTENCE.wav` lies `SENTENCE.json`: phones with times, how long the work took,
and a digest of code, weights, voice and text by which a later run knows that the sound is
the one it wants.
"""

import errno
import filecmp
import hashlib
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import FacevoxError, InputError
from facevox.core.files import make_folder, write_atomically
from facevox.core.speech import Phone
from facevox.core.text.reader import read_sentences
from facevox.core.voice import Voice
from facevox.core.waveform import normalise_level, write_waveform
from facevox.evaluation.clip import Clip
from facevox.evaluation.code_digest import code_digest
from facevox.evaluation.generate import Row, Step, read_side
from facevox.evaluation.speech.sentences import SentenceList
from facevox.evaluation.speech.voice_set import VoiceSet
from facevox.models.speech.engine import SpeechEngine

_WARM_UP = "Hello."
"""Spoken once before the first sentence is timed."""


def spoken_row(chosen: VoiceSet, sentences: SentenceList, folder: Path, step: Step) -> Row:
    """Let every voice of a set speak every sentence; one that fails does not stop the others.

    Raises:
        MediaError: If the folder cannot be written.
    """
    warm: set[str] = set()
    clips, failed = [], {}
    for voice_name, voice in chosen.voices.items():
        place = make_folder(folder / voice_name)
        for key, text in sentences.texts.items():
            name = key if len(chosen.voices) == 1 else f"{voice_name} {key}"
            try:
                sound, phones, facts = _kept_or_spoken(
                    chosen.engine, voice, text, place / key, warm
                )
                clips.append(_clip(chosen, voice_name, name, text, sound, phones, facts))
            except FacevoxError as error:
                if getattr(error.__cause__, "errno", 0) == errno.ENOSPC:
                    raise  # no other sentence would fare better
                failed[name] = str(error)
            step(f"{chosen.name}: {name}")
    info = {"name": chosen.name, "engine": chosen.engine.name, "voices": len(chosen.voices)}
    if len(chosen.voices) == 1:
        info["voice"] = next(iter(chosen.voices.values())).describe()
    return Row(name=chosen.name, clips=tuple(clips), failed=failed, info=info)


def speak_text(
    engine: SpeechEngine, text: str, voice: Voice
) -> tuple[Float32[np.ndarray, " samples"], tuple[Phone, ...]]:
    """Return a text as a voice speaks it: all its sentences, with phones over the whole.

    Words are numbered over the whole text.

    Raises:
        InputError: If there is nothing to say, or the voice is not the engine's.
        FacevoxError: If the engine gives no sound, or values that are not numbers.
    """
    parts: list[np.ndarray] = []
    phones: list[Phone] = []
    samples = words = 0
    for sentence in read_sentences(text):
        speech = engine.speak(sentence, voice)
        if not len(speech.waveform) or not np.isfinite(speech.waveform).all():
            raise FacevoxError(
                f"The engine {engine.name} gave no sound, or values that are not numbers, for "
                f"{sentence.text[:60]!r}."
            )
        start = samples / engine.sample_rate
        for phone in speech.phones:
            word = phone.word + words if phone.word >= 0 else phone.word
            phones.append(
                replace(phone, start=phone.start + start, end=phone.end + start, word=word)
            )
        parts.append(speech.waveform)
        samples += len(speech.waveform)
        words += len(sentence.words)
    if not parts:
        raise InputError(f"There is nothing to say in {text[:60]!r}.")
    return np.concatenate(parts), tuple(phones)


def _kept_or_spoken(
    engine: SpeechEngine, voice: Voice, text: str, stem: Path, warm: set[str]
) -> tuple[Path, tuple[Phone, ...], dict[str, Any]]:
    sound, side = stem.with_name(f"{stem.name}.wav"), stem.with_name(f"{stem.name}.json")
    digest = _digest(engine, voice, text)
    if sound.is_file() and (known := read_side(side, digest)):
        return sound, *known
    if engine.name not in warm:
        speak_text(engine, _WARM_UP, voice)
        warm.add(engine.name)
    started = time.perf_counter()
    waveform, phones = speak_text(engine, text, voice)
    work = time.perf_counter() - started
    if np.abs(waveform).max() < 1e-5:
        raise FacevoxError(f"The engine {engine.name} gave silence for {text[:60]!r}.")
    side.unlink(missing_ok=True)  # until the new sound is whole, there is no word for it
    _write(sound, normalise_level(waveform, engine.sample_rate), engine.sample_rate)
    facts = {"seconds": len(waveform) / engine.sample_rate, "work_seconds": work}
    rows = [asdict(phone) for phone in phones]
    text_of_side = json.dumps({"digest": digest, "facts": facts, "phones": rows})
    write_atomically(side, text_of_side.encode())
    return sound, phones, facts


def _write(sound: Path, waveform: Float32[np.ndarray, " samples"], sample_rate: int) -> None:
    """Write a sound; one that is there already keeps its time, by which observations know it."""
    with TemporaryDirectory(dir=sound.parent, prefix=".new-") as folder:
        new = write_waveform(Path(folder) / sound.name, waveform, sample_rate)
        if not (sound.is_file() and filecmp.cmp(new, sound, shallow=False)):
            new.replace(sound)


def _clip(
    chosen: VoiceSet, voice_name: str, name: str, text: str, sound: Path,
    phones: tuple[Phone, ...], facts: dict[str, Any],
) -> Clip:  # fmt: skip
    """Return what is known about a spoken sentence.

    Its `identity` is the voice if there are several, so that intervals are over voices.
    """
    return Clip(
        name=name,
        video=sound,
        system=chosen.name,
        identity=voice_name if len(chosen.voices) > 1 else "",
        text=text,
        phones=phones,
        sex=chosen.sexes.get(voice_name, ""),
        facts=facts,
    )


def _digest(engine: SpeechEngine, voice: Voice, text: str) -> str:
    stated = getattr(engine, "digest", "")
    wanted = [code_digest(), engine.name, str(stated), engine.sample_rate, voice.to_dict(), text]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
