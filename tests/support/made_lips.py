"""Phones and lips made from them, for the tests of lip metrics."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from made_media import tell

from facevox.core.speech import PHONES, SILENCE, Phone
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.models.face.lip_shape import expected_lips, frame_times

FPS = 25.0


def phones_of(names: str, length: float = 0.1, rest: float = 0.6) -> tuple[Phone, ...]:
    """Phones of equal length between two silences."""
    parts = [(SILENCE, rest), *((name, length) for name in names.split()), (SILENCE, rest)]
    ends = np.cumsum([seconds for _, seconds in parts])
    return tuple(
        Phone(name=name, start=float(end - seconds), end=float(end))
        for (name, seconds), end in zip(parts, ends, strict=True)
    )


def random_phones(seed: int, count: int = 24) -> tuple[Phone, ...]:
    names = np.random.default_rng(seed).choice(PHONES, count)
    return phones_of(" ".join(names))


def lips_of(phones, fps: float = FPS, *, late: float = 0.0, noise: float = 0.0, seed: int = 0):
    """Gap, height and width of a mouth that does what the phones say, `late` seconds late."""
    count = round(phones[-1].end * fps)
    openness, spread = expected_lips(phones, frame_times(count, fps) - late).T
    shape = np.stack([0.25 * openness, 0.3 + 0.25 * openness, 0.9 + 0.1 * spread], 1)
    return shape + noise * np.random.default_rng(seed).normal(size=shape.shape)


def landmarks_of(shape):
    """Landmarks that measure as these lips; the irises are 100 px apart."""
    gap, height, width = 100 * shape.T
    points = np.zeros((len(shape), 478, 3), np.float32)
    points[:, 473, 0] = 100
    points[:, 14, 1], points[:, 17, 1] = gap, height
    points[:, 291, 0] = width
    points[~np.isfinite(shape).all(1)] = np.nan
    return points


def media_of(shape, phones, fps: float = FPS, name: str = "clip", **known) -> ClipMedia:
    """What metrics see of a clip with these lips and phones."""
    clip = Clip(name=name, video=Path(f"{name}.mp4"), phones=tuple(phones), **known)
    media = ClipMedia(clip, Judges(Path("nowhere")))
    rate = Fraction(fps).limit_denominator(1001)
    return tell(media, landmarks=landmarks_of(shape), fps=rate)
