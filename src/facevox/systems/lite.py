"""The system `lite`: runs on a laptop right after installation.

The photo's own pixels are warped; nothing is downloaded; a sentence is made
while the one before it plays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from facevox.core.checkpoint import SPEECH_WEIGHTS, WEIGHTS, weights_digest
from facevox.core.chunk import Chunk, Frame
from facevox.core.clock import Clock, parse_fps
from facevox.core.controls import Controls
from facevox.core.errors import InputError, MissingPiece
from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.core.prefetch import ordered_map
from facevox.core.speech import Phone
from facevox.core.talking_face import TalkingFace
from facevox.core.text.reader import read_sentences
from facevox.core.voice import Voice
from facevox.models.bridge.face_to_voice import FaceToVoice
from facevox.models.face.face_motion import FaceMotion
from facevox.models.face.mouth_network import multiply_adds_per_hop
from facevox.models.face.phone_features import HOP_RATE
from facevox.models.face.warp.renderer import WarpRenderer
from facevox.models.face.warp.stage import output_size
from facevox.models.speech.engine import SpeechEngine
from facevox.models.speech.registry import load_engine
from facevox.systems.system import Photo, SystemInfo

RENDER_THREADS = 2
SPEECH = ("flite", "matcha")
"""Engines that speak when none is named: the first that is installed."""

LARGE_PICTURE = 1920 * 1080
"""Pixels beyond which a video takes longer to make than to watch on two cores."""


class Lite:
    """Text -> speech -> motion -> frames, with a voice drawn from the face.

    Args:
        speech: Speaks the voices drawn from faces; voices of other engines bring their own.
        bridge: Suggests voices for a face.
        motion: Moves mouth, head and eyes to speech.
        warnings: What every video that is made should say.
    """

    name = "lite"

    def __init__(
        self,
        speech: SpeechEngine,
        bridge: FaceToVoice,
        motion: FaceMotion,
        warnings: Sequence[str] = (),
    ) -> None:
        self.speech, self.bridge, self.motion = speech, bridge, motion
        self._engines = {speech.name: speech}
        self._warnings = tuple(warnings)

    @classmethod
    def load(cls, speech: str | None = None) -> "Lite":
        """Return the system with the weights that come in the package.

        Args:
            speech: Name of the speech engine, "flite" or "matcha"; None takes flite where it
                is installed, else matcha with a warning.

        Raises:
            InputError: If there is no such engine.
            MissingPiece: If the speech engine is not installed.
            CheckpointError: If weights are absent or damaged.
        """
        warnings: list[str] = []
        engine = _usual_engine(warnings) if speech is None else load_engine(speech)
        return cls(engine, FaceToVoice.load(), FaceMotion.load(), warnings)

    def info(self) -> SystemInfo:
        """Return what this system is."""
        neural = self.speech.name == "matcha"
        speech = getattr(self.speech, "num_parameters", 0)
        return SystemInfo(
            name=self.name,
            summary="Warps the photo's own pixels; runs on a laptop without any download.",
            voice="drawn from the face by perceived sex and age, seeded",
            parameters=self.bridge.num_parameters + self.motion.num_parameters + speech,
            licence="Apache-2.0",
            trained_against=("face-landmarker",),  # it labelled the mouths of the training clips
            weights=weights_digest(WEIGHTS, SPEECH_WEIGHTS) if neural else weights_digest(),
            multiply_adds=multiply_adds_per_hop() * HOP_RATE,
        )

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
        warnings = [*self._warnings, *portrait.warnings, *_about_size(shape, size)]
        job = _Job(text, voice, portrait, size, clock, seed, controls or Controls(), warnings)
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
        person = read_portrait(portrait, **options)
        distribution = self.bridge.distribution(person, engine=self.speech.name)
        return [distribution.draw(seed + index) for index in range(count)]

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
            return self.bridge.distribution(portrait, engine=self.speech.name).draw(seed)
        if isinstance(voice, Voice):
            return voice
        if not isinstance(voice, str | Path):
            raise InputError(f"A voice is a Voice or the path of one, got {type(voice).__name__}.")
        return Voice.load(voice)

    def _chunks(self, job: "_Job") -> Iterator[Chunk]:
        motion_stream = self.motion.start(job.seed, job.controls, job.clock.fps)
        engine = self._engine(job.voice)
        sample = frame = characters = 0
        for sentence in read_sentences(job.text, warn=job.warn):
            speech = engine.speak(sentence, job.voice)
            end = sample + len(speech.waveform)
            num_frames = job.clock.num_frames(end) - frame
            start = job.clock.seconds(sample)
            motion = motion_stream.advance(speech, frame, num_frames, start)
            characters += len(sentence.text) + 1
            yield Chunk(
                frames=job.frames(motion),
                num_frames=num_frames,
                waveform=speech.waveform,
                first_frame=frame,
                first_sample=sample,
                phones=tuple(_shifted(phone, start) for phone in speech.phones),
                motion=motion,
                text=sentence.text,
                done=min(1.0, characters / len(job.text)),
            )
            sample, frame = end, frame + num_frames


@dataclass(frozen=True)
class _Job:
    """All that one talking face is made from."""

    text: str
    voice: Voice
    portrait: Portrait
    size: int | None
    clock: Clock
    seed: int
    controls: Controls
    warnings: list[str]

    @cached_property
    def renderer(self) -> WarpRenderer:
        """Fitted when the first picture is asked for: sound alone needs none."""
        return WarpRenderer(self.portrait, size=self.size)

    def warn(self, sentence: str) -> None:
        """Keep a warning, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def frames(self, motion: Motion) -> Iterator[Frame]:
        """Yield a picture for each row of motion, rendered by a few threads, in order."""
        renderer = self.renderer

        def render(row: Motion) -> Frame:
            return next(renderer.frames(row))

        yield from ordered_map(render, motion.rows(), workers=RENDER_THREADS)


def _usual_engine(warnings: list[str]) -> SpeechEngine:
    """Return the first engine of `SPEECH` that is installed; say so if it is another."""
    first, second = SPEECH
    try:
        return load_engine(first)
    except MissingPiece as error:
        warnings.append(f"The neural voice speaks, since {first} is not there. {error}")
        return load_engine(second)


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
