"""What all systems do alike: read the photo, choose the voice, speak sentence by sentence.

A system says which voices fit a face and how a face is set in motion by speech.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from facevox.core.chunk import Chunk, Frame
from facevox.core.clock import Clock, parse_fps
from facevox.core.controls import Controls
from facevox.core.errors import InputError, MissingPiece
from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.core.speech import Phone, Speech
from facevox.core.talking_face import TalkingFace
from facevox.core.text.reader import read_sentences
from facevox.core.voice import Voice
from facevox.models.face.warp.stage import output_size
from facevox.models.speech.engine import SpeechEngine
from facevox.models.speech.registry import load_engine
from facevox.systems.system import Photo, SystemInfo

LARGE_PICTURE = 1920 * 1080
"""Pixels beyond which a video takes longer to make than to watch on two cores."""


@runtime_checkable
class Voices(Protocol):
    """Voices that fit a face."""

    def draw(self, seed: int) -> Voice:
        """Return one of them; the same seed gives the same voice."""
        ...


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a face does while one sentence is heard.

    Attributes:
        motion: One row per picture.
        frames: The pictures, to be read once, made while they are read.
    """

    motion: Motion
    frames: Iterator[Frame]


@runtime_checkable
class Actor(Protocol):
    """One portrait in motion, from the first sentence on."""

    def act(self, speech: Speech, first_frame: int, num_frames: int, offset: float) -> Scene:
        """Return the next sentence's scene.

        Args:
            speech: The sentence.
            first_frame: Number of its first video frame within the whole.
            num_frames: Pictures to make.
            offset: Time at which its sound starts within the whole [s].
        """
        ...


@dataclass(frozen=True)
class Job:
    """All that one talking face is made from."""

    text: str
    voice: Voice
    portrait: Portrait
    size: int | None
    clock: Clock
    seed: int
    controls: Controls
    warnings: list[str]

    def warn(self, sentence: str) -> None:
        """Keep a warning, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)


class SpeakingPortrait(ABC):
    """Base of the systems: text -> speech -> motion -> frames, a sentence at a time.

    Args:
        speech: Speaks the voices drawn from faces; voices of other engines bring their own.
        warnings: What every video that is made should say.
    """

    name: str
    about_drawings: str
    """What a drawn face means for this system: the end of a sentence."""

    def __init__(self, speech: SpeechEngine, warnings: Sequence[str] = ()) -> None:
        self.speech = speech
        self._engines = {speech.name: speech}
        self._warnings = tuple(warnings)

    @abstractmethod
    def info(self) -> SystemInfo:
        """Return what this system is."""

    @abstractmethod
    def _fitting_voices(self, portrait: Portrait) -> Voices:
        """Return the voices that fit a face."""

    @abstractmethod
    def _actor(self, job: Job) -> Actor:
        """Return the portrait, ready to be set in motion."""

    def _portrait_warnings(self, portrait: Portrait) -> Sequence[str]:
        """Return what may make this system's video of a portrait look worse."""
        if not portrait.drawn:
            return portrait.warnings
        about = f"The portrait looks drawn, not photographed; {self.about_drawings}"
        return (*portrait.warnings, about)

    def generate(
        self,
        portrait: Photo,
        text: str,
        *,
        seed: int = 0,
        voice: Voice | str | Path | None = None,
        controls: Controls | None = None,
        fps: int | float | Fraction = 25,
        size: int | None = None,
        face: int | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> TalkingFace:
        """Return a face that speaks the text (see `System.generate`)."""
        fps = parse_fps(fps)
        next(read_sentences(text))  # an unspeakable text fails here
        portrait = read_portrait(portrait, face=face, box=box)
        voice = self._voice(portrait, voice, seed)
        rate = self._engine(voice).sample_rate
        clock = Clock(sample_rate=rate, hop_length=rate // 100, fps=fps)
        shape = output_size(portrait.pixels.shape[1], portrait.pixels.shape[0], size)
        about = self._portrait_warnings(portrait)
        warnings = [*self._warnings, *about, *_about_size(shape, size)]
        job = Job(text, voice, portrait, size, clock, seed, controls or Controls(), warnings)
        return TalkingFace(
            clock=clock,
            size=shape,
            voice=voice,
            seed=seed,
            system=self.name,
            text=text,
            chunks=lambda: self._chunks(job),
            warnings=warnings,
        )

    def stream(self, portrait: Photo, text: str, **options: Any) -> Iterator[Chunk]:
        """Yield the talking face sentence by sentence; options as for `generate`."""
        return self.generate(portrait, text, **options).chunks()

    def voices(
        self, portrait: Photo, count: int = 4, *, seed: int = 0, **options: Any
    ) -> list[Voice]:
        """Return `count` voices that fit the face; the first is what `seed` gives `generate`."""
        if count < 1:
            raise InputError(f"count must be at least 1, got {count}.")
        voices = self._fitting_voices(read_portrait(portrait, **options))
        return [voices.draw(seed + index) for index in range(count)]

    def voice_from(self, recording: str | Path) -> Voice:
        """Return a neural voice that sounds like the person in a recording.

        Raises:
            InputError: If the recording does not hold enough speech of one person.
            MediaError: If it cannot be read.
            CheckpointError: If the neural voice's weights are absent or damaged.
        """
        from facevox.models.speech.reference import read_reference, voice_of
        from facevox.models.speech.speaker_encoder import SpeakerEncoder

        heard = read_reference(recording)
        voice = voice_of(heard, SpeakerEncoder.load(), Path(recording).name)
        self._engine(voice)  # that it can be spoken is known before anything is made
        return voice

    def _engine(self, voice: Voice) -> SpeechEngine:
        if voice.engine not in self._engines:
            self._engines[voice.engine] = load_engine(voice.engine)
        return self._engines[voice.engine]

    def _voice(self, portrait: Portrait, voice: Any, seed: int) -> Voice:
        if voice is None:
            return self._fitting_voices(portrait).draw(seed)
        if isinstance(voice, Voice):
            return voice
        if not isinstance(voice, str | Path):
            raise InputError(f"A voice is a Voice or the path of one, got {type(voice).__name__}.")
        return Voice.load(voice)

    def _chunks(self, job: Job) -> Iterator[Chunk]:
        actor = self._actor(job)
        engine = self._engine(job.voice)
        sample = frame = characters = 0
        for sentence in read_sentences(job.text, warn=job.warn):
            speech = engine.speak(sentence, job.voice)
            end = sample + len(speech.waveform)
            num_frames = job.clock.num_frames(end) - frame
            start = job.clock.seconds(sample)
            scene = actor.act(speech, frame, num_frames, start)
            characters += len(sentence.text) + 1
            yield Chunk(
                frames=scene.frames,
                num_frames=num_frames,
                waveform=speech.waveform,
                first_frame=frame,
                first_sample=sample,
                phones=tuple(_shifted(phone, start) for phone in speech.phones),
                motion=scene.motion,
                text=sentence.text,
                done=min(1.0, characters / len(job.text)),
            )
            sample, frame = end, frame + num_frames


def first_installed(names: Sequence[str], warnings: list[str]) -> SpeechEngine:
    """Return the first speech engine that is installed; say so if it is not the first.

    Raises:
        MissingPiece: If the last one is not installed either.
    """
    first, *others = names
    try:
        return load_engine(first)
    except MissingPiece as error:
        if not others:
            raise
        warnings.append(f"The neural voice speaks, since {first} is not there. {error}")
        return first_installed(others, warnings)


def _about_size(shape: tuple[int, int], size: int | None) -> list[str]:
    width, height = shape
    if size is not None or width * height <= LARGE_PICTURE:
        return []
    return [
        f"The video keeps the photo's {width}x{height} pixels; "
        "a smaller size, such as 1080, is made several times faster."
    ]


def _shifted(phone: Phone, seconds: float) -> Phone:
    return replace(phone, start=phone.start + seconds, end=phone.end + seconds)
