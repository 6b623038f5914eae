"""Pictures, sound, landmarks and phones of a clip, each read when a metric asks for it.

What several metrics need is computed once.  Pictures are never held together.
"""

from collections.abc import Callable, Hashable, Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import FacevoxError, InputError, MediaError
from facevox.core.portrait.portrait import Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.core.speech import Phone
from facevox.core.text.reader import read_sentences
from facevox.core.text.sentence import Word
from facevox.core.waveform import resample
from facevox.evaluation.clip import REAL, Clip
from facevox.evaluation.judges.store import Judges

SAMPLE_RATE = 16_000
"""Rate at which every speech judge listens [Hz]."""

_QUIET = 1e-5

Made = TypeVar("Made")


class ClipMedia:
    """What metrics see of a clip.

    Args:
        clip: The video and what is known about it.
        judges: Where networks come from.
        tracker: Name of the judge that lays landmarks.

    Attributes:
        notes: What was done to the clip before it was scored, such as resampling.
    """

    def __init__(self, clip: Clip, judges: Judges, tracker: str = "attention-mesh") -> None:
        self.clip, self.judges, self.tracker = clip, judges, tracker
        self.notes: list[str] = []
        self._made: dict[Hashable, tuple[object, FacevoxError | None, list[str]]] = {}

    def note(self, sentence: str) -> None:
        """Keep a note, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what several metrics need; made when the first one asks.

        Whoever asks gets its notes too, or the error with which it could not be made.

        Args:
            key: What it is called.
            make: Makes it.
        """
        if key not in self._made:
            before, self.notes = self.notes, []
            made, problem = None, None
            try:
                made = make()
            except FacevoxError as error:
                problem = error
            finally:
                mine, self.notes = self.notes, before
            self._made[key] = made, problem, mine
        known, problem, notes = self._made[key]
        for sentence in notes:
            self.note(sentence)
        if problem is not None:
            raise problem.with_traceback(None)
        return known  # type: ignore[return-value]

    @cached_property
    def fps(self) -> Fraction:
        """Frames per second of the file."""
        with _open(self.clip.video) as container:
            if not container.streams.video:
                raise InputError(f"{self.clip.video} has no pictures.")
            rate = container.streams.video[0].average_rate
        if not rate:
            raise InputError(f"{self.clip.video} does not say how many frames a second it has.")
        return Fraction(rate)

    @cached_property
    def num_frames(self) -> int:
        """Pictures that `frames` yields at the file's own rate."""
        return sum(1 for _ in self._pictures(self.fps))

    def frames(self, fps: Fraction | int | None = None) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Yield the pictures, RGB, evenly spaced in time.

        Args:
            fps: Convert to this rate by taking the picture shown at the middle of each new
                frame, with a note; None keeps the file's own.  Pictures that are spaced
                unevenly (variable frame rate) are always converted.

        Raises:
            InputError: If the file is not a video or has no pictures.
        """
        for picture in self._pictures(Fraction(fps or self.fps)):
            yield _pixels(picture)

    def faces(
        self, every: float = 0.0
    ) -> Iterator[tuple[UInt8[np.ndarray, "h w 3"], Float32[np.ndarray, "478 3"]]]:
        """Yield the pictures that show a face, each with its landmarks [px].

        Args:
            every: Look at every n-th picture only, those `step(every)` apart [s].
        """
        step = self.step(every)
        pictures = zip(self._pictures(self.fps), self.landmarks, strict=True)
        for index, (picture, points) in enumerate(pictures):
            if index % step == 0 and np.isfinite(points).all():
                yield _pixels(picture), points

    def step(self, every: float) -> int:
        """Return how many frames are nearest to a time [s], at least one."""
        return max(1, round(every * float(self.fps)))

    def note_lost_frames(self) -> None:
        """Note how many frames show no face, if any."""
        lost = int(np.isnan(self.landmarks[:, 0, 0]).sum())
        if lost:
            self.note(f"{lost} of {len(self.landmarks)} frames show no face")

    def _pictures(self, rate: Fraction) -> Iterator[av.VideoFrame]:
        """Yield the pictures, evenly spaced at this rate, decoded but not yet as RGB."""
        ends = self._uneven_ends
        if rate == self.fps and not ends:
            yield from _decoded(self.clip.video)
            return
        own = f"{float(self.fps):g} fps" if not ends else "variable frame rate"
        self.note(f"{own} resampled to {float(rate):g} by nearest frame")
        k = 0
        for index, picture in enumerate(_decoded(self.clip.video)):
            end = ends[index] if index < len(ends) else (index + 1) / self.fps
            while (k + Fraction(1, 2)) / rate < end:
                yield picture
                k += 1

    @cached_property
    def _uneven_ends(self) -> list[Fraction]:
        """When each picture gives way to the next [s]; empty if they are evenly spaced."""
        times = read_frame_times(self.clip.video)
        uneven = any(abs(t * self.fps - i) > Fraction(1, 2) for i, t in enumerate(times))
        return [*times[1:], times[-1] + 1 / self.fps] if uneven else []

    def waveform(self, sample_rate: int = SAMPLE_RATE) -> Float32[np.ndarray, " samples"]:
        """Return the sound, mono, in [-1, 1], resampled with a note if need be.

        Raises:
            InputError: If there is no sound track, or it holds nothing or only silence.
        """
        return self.once(("waveform", sample_rate), lambda: self._heard(sample_rate))

    def _heard(self, sample_rate: int) -> Float32[np.ndarray, " samples"]:
        waveform, rate = read_sound(self.clip.video)
        if rate == sample_rate:
            return waveform
        self.note(f"{rate} Hz resampled to {sample_rate}")
        return resample(waveform, rate, sample_rate)

    @property
    def landmarks(self) -> Float32[np.ndarray, "frames 478 3"]:
        """Landmarks of every frame [px], NaN where no face was found.

        Raises:
            InputError: If no frame shows a face.
        """
        return self.once("landmarks", self._tracked)

    def _tracked(self) -> Float32[np.ndarray, "frames 478 3"]:
        landmarks = self.judges.load(self.tracker).track(self.frames())
        if not np.isfinite(landmarks).any():
            raise InputError(f"{self.clip.video.name} shows no face.")
        return landmarks

    @cached_property
    def portrait(self) -> Portrait:
        """The photo that the video was made from.

        Raises:
            InputError: If none is known.
        """
        if self.clip.portrait is None:
            raise InputError("no portrait is given to compare with")
        return read_portrait(self.clip.portrait)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words of the text, normalised, with phones.

        Raises:
            InputError: If the text is not known.
        """
        if not self.clip.text:
            raise InputError("the text is not known; give it with --text")
        return tuple(word for part in read_sentences(self.clip.text) for word in part.words)

    @property
    def phones(self) -> tuple[Phone, ...]:
        """Phones with times [s]: the maker's own, else the text aligned with the sound.

        Raises:
            InputError: If there are neither phones nor text.
            DataError: If the text does not fit the sound.
            MissingPiece: If the aligner is not installed.
        """
        if self.clip.phones is not None:
            return self.clip.phones
        return self.once("phones", self._aligned)

    def _aligned(self) -> tuple[Phone, ...]:
        from facevox.data.forced_alignment import align_text

        phones = align_text(self.waveform(SAMPLE_RATE), self.words)
        self.note("phone times by forced alignment (pocketsphinx)")
        return phones

    @cached_property
    def reference(self) -> "ClipMedia":
        """The recording that this clip is compared with.

        Raises:
            InputError: If there is none.
        """
        if self.clip.reference is None:
            raise InputError("no recording of this person is given to compare with")
        known = Clip(
            name=self.clip.name,
            video=self.clip.reference,
            system=REAL,
            identity=self.clip.identity,
            text=self.clip.text if self.clip.reference_says_text else None,
        )
        return ClipMedia(known, self.judges, self.tracker)

    @cached_property
    def spoken_reference(self) -> "ClipMedia":
        """The recording, if it says the same text.

        Raises:
            InputError: If there is none, it says something else, or it is this clip itself.
        """
        if self.clip.reference is not None and not self.clip.reference_says_text:
            raise InputError("the recording of this person says another text")
        if self.clip.system == REAL:
            raise InputError("a recording is not compared with itself")
        return self.reference


def read_frames(video: Path) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Yield the pictures of a video, RGB, upright as a player shows them.

    Raises:
        InputError: If the file is not a video or has no pictures.
    """
    for picture in _decoded(video):
        yield _pixels(picture)


def _pixels(picture: av.VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture upright: telephones film sideways and say so in the file."""
    pixels = picture.to_ndarray(format="rgb24")
    turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _decoded(video: Path) -> Iterator[av.VideoFrame]:
    count = 0
    with _open(video) as container:
        try:
            for frame in container.decode(video=0):
                count += 1
                yield frame
        except IndexError as error:
            raise InputError(f"{video} has no pictures.") from error
        except av.error.FFmpegError as error:
            raise InputError(f"{video} cannot be read as a video ({error.strerror}).") from error
    if not count:
        raise InputError(f"{video} has no pictures.")


def read_frame_times(video: Path) -> list[Fraction]:
    """Return when each picture appears [s], counted from the first; none if not stated.

    Raises:
        InputError: If the file is not a video.
    """
    with _open(video) as container:
        try:
            packets = [p for p in container.demux(video=0) if p.size and not p.is_discard]
        except IndexError as error:
            raise InputError(f"{video} has no pictures.") from error
        except av.error.FFmpegError as error:
            raise InputError(f"{video} cannot be read as a video ({error.strerror}).") from error
        stamps = sorted(p.pts * p.time_base for p in packets if p.pts is not None and p.time_base)
    return [stamp - stamps[0] for stamp in stamps] if len(stamps) == len(packets) else []


def read_sound(video: Path) -> tuple[Float32[np.ndarray, " samples"], int]:
    """Return the sound of a video or sound file, mono, and its sample rate [Hz].

    Sample 0 is heard with the first picture: a track that starts later in the file begins
    with silence, one that starts earlier loses its beginning.

    Raises:
        InputError: If there is no sound track, or it holds nothing, only silence, or NaN.
    """
    parts: list[np.ndarray] = []
    start: float | None = None
    with _open(video) as container:
        if not container.streams.audio:
            raise InputError(f"{video.name} has no sound track.")
        rate = int(container.streams.audio[0].rate)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        try:
            for packet in container.decode(audio=0):
                if start is None:
                    start = (packet.time or 0.0) - _first_picture(container)
                parts += [frame.to_ndarray()[0] for frame in resampler.resample(packet)]
            parts += [frame.to_ndarray()[0] for frame in resampler.resample(None)]
        except av.error.FFmpegError as error:
            raise MediaError(f"The sound of {video} cannot be read ({error.strerror}).") from error
    waveform = np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
    if not len(waveform):
        raise InputError(f"The sound track of {video.name} is empty.")
    if not np.isfinite(waveform).all():
        raise InputError(f"The sound of {video.name} holds values that are not numbers.")
    if np.abs(waveform).max() < _QUIET:
        raise InputError(f"The sound of {video.name} is silence.")
    late = round((start or 0.0) * rate)
    return np.concatenate([np.zeros(max(late, 0), np.float32), waveform[max(-late, 0) :]]), rate


def _first_picture(container: "av.container.InputContainer") -> float:
    """Return when the first picture is shown [s]; 0 in a sound file."""
    for stream in container.streams.video:
        if stream.start_time is not None and stream.time_base is not None:
            return float(stream.start_time * stream.time_base)
    return 0.0


def _open(path: Path) -> "av.container.InputContainer":
    try:
        return av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"{path} cannot be read as a video ({error.strerror}).") from error
