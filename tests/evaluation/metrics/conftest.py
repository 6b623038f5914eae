"""Small videos, and a tracker that always sees one face."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from facevox.core.chunk import Chunk
from facevox.core.clock import Clock
from facevox.core.motion import Motion
from facevox.core.video import write_video

SAMPLE_RATE = 16_000


@pytest.fixture
def save_frames(tmp_path):
    """Returns a function that writes pictures (n, h, w, 3) as an mp4 of that name."""

    def save(name: str, frames: np.ndarray, fps: int = 25) -> Path:
        clock = Clock(sample_rate=SAMPLE_RATE, fps=Fraction(fps))
        count = len(frames) * SAMPLE_RATE // fps
        tone = np.sin(np.arange(count) * 0.2).astype(np.float32) / 2
        chunk = Chunk(
            frames=iter(frames), num_frames=len(frames), waveform=tone, first_frame=0,
            first_sample=0, phones=(), motion=Motion.rest(len(frames)), text="x", done=1.0,
        )  # fmt: skip
        path = tmp_path / f"{name}.mp4"
        write_video(path, [chunk], clock=clock, size=(frames.shape[2], frames.shape[1]))
        return path

    return save


class StillFace:
    """Lays the same landmarks over every frame: a box of 40 x 40 px around the middle."""

    def track(self, frames):
        rng = np.random.default_rng(0)
        points = rng.uniform(-20, 20, (478, 3)).astype(np.float32)
        points[0], points[1] = -20, 20
        rows = []
        for pixels in frames:
            middle = (pixels.shape[1] / 2, pixels.shape[0] / 2, 0)
            rows.append(points + np.array(middle, np.float32))
        return np.stack(rows)


@pytest.fixture
def still_face():
    return StillFace()
