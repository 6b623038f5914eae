from pathlib import Path

import numpy as np
import pytest

from facevox.evaluation.clip import REAL, Clip
from facevox.evaluation.judges.inception import tiny
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia, read_frames
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.fid import Fid
from facevox.evaluation.metrics.frechet import frechet_distance
from facevox.evaluation.signals.face_square import crop_square, face_square

FRAMES, SIZE = 10, 80


def pictures(seed, count=FRAMES):
    """Noise of a few colours, blurred over a grid, so that it survives the encoder."""
    small = np.random.default_rng(seed).integers(0, 256, (count, 10, 10, 3), dtype=np.uint8)
    return small.repeat(SIZE // 10, 1).repeat(SIZE // 10, 2)


class Counting:
    """A judge that counts what it sees."""

    def __init__(self):
        self.network, self.frames = tiny(), 0

    def features(self, batch):
        self.frames += len(batch)
        return self.network.features(batch)


@pytest.fixture
def judges(tmp_path, still_face):
    judges = Judges(tmp_path / "judges")
    judges.put("inception", Counting())
    judges.put("attention-mesh", still_face)
    return judges


def test_it_is_a_metric():
    assert isinstance(Fid(), Metric)


def test_features_are_of_face_crops_without_the_first_frame(save_frames, judges):
    video = save_frames("a", pictures(0))
    media = ClipMedia(Clip(name="a", video=video, system=REAL), judges)
    seen = Fid().observe(media)["made"]
    assert seen.shape == (FRAMES - 1, 64)
    square = face_square(media.landmarks)
    assert square[2] == 60
    frame = list(read_frames(video))[3]
    known = tiny().features(crop_square(frame, square)[None])[0]
    np.testing.assert_allclose(seen[2].astype(np.float32), known, rtol=2e-3, atol=2e-3)


def test_a_recording_that_clips_share_is_seen_once(save_frames, judges):
    real, fid = save_frames("real", pictures(0)), Fid()
    for name in ("a", "b"):
        clip = Clip(name=name, video=save_frames(name, pictures(1)), system="x", reference=real)
        seen = fid.observe(ClipMedia(clip, judges))
        assert seen["recorded"].shape == (FRAMES - 1, 64)
    assert judges.load("inception").frames == 3 * (FRAMES - 1)


def test_a_clip_without_a_recording_costs_nothing(save_frames, judges):
    clip = Clip(name="a", video=save_frames("a", pictures(0)), system="x")
    seen = Fid().observe(ClipMedia(clip, judges))
    assert judges.load("inception").frames == 0
    result = Fid().summarise([Seen(clip, seen)])["FID"]
    assert isinstance(result, NotMeasured)
    assert "no recordings to compare with" in result.reason


def seen_of(features, name, system="x", recorded=None, reference=None):
    clip = Clip(name=name, video=Path(f"{name}.mp4"), system=system, reference=reference)
    observation = {"made": features} | ({} if recorded is None else {"recorded": recorded})
    return Seen(clip, observation)


def draw(count, seed, shift=0.0):
    rows = np.random.default_rng(seed).standard_normal((count, 8)) + shift
    return rows.astype(np.float16)


def test_the_number_is_the_frechet_distance_and_each_recording_counts_once():
    made, real = [draw(20, k, 1.0) for k in range(3)], [draw(30, 7), draw(30, 8)]
    seen = [
        seen_of(made[0], "a", recorded=real[0], reference=Path("r0")),
        seen_of(made[1], "b", recorded=real[1], reference=Path("r1")),
        seen_of(made[2], "c", recorded=real[1], reference=Path("r1")),
        seen_of(np.zeros((0, 0)), "without"),
    ]
    result = Fid().summarise(seen)["FID"]
    assert isinstance(result, Estimate)
    known = frechet_distance(np.concatenate(made), np.concatenate(real))
    assert result.value == pytest.approx(known, rel=1e-9)
    assert result.value == pytest.approx(8, rel=0.3)
    assert (result.count, result.of) == (60, "frames")
    assert result.low is None
    assert "60 real frames" in result.note
    assert "1 clips without a recording" in result.note


def test_too_few_frames_are_refused():
    one = [seen_of(draw(8, 0), "a", recorded=draw(99, 1), reference=Path("r"))]
    result = Fid().summarise(one)["FID"]
    assert isinstance(result, NotMeasured)
    assert "at least 9 frames on each side, there are 8 and 99" in result.reason


def test_frames_of_one_video_are_refused():
    one = [seen_of(draw(99, 0), "a", recorded=draw(99, 1), reference=Path("r"))]
    result = Fid().summarise(one)["FID"]
    assert isinstance(result, NotMeasured)
    assert "one video" in result.reason


def test_recordings_alone_are_halved():
    seen = [seen_of(draw(200, k), f"r{k}", REAL) for k in range(6)]
    first, again = (Fid().summarise(seen, seed=3)["FID"] for _ in range(2))
    assert isinstance(first, Estimate)
    assert first == again
    assert 0 < first.value < 0.5
    assert "halves of the recordings" in first.note
    assert isinstance(Fid().summarise(seen[:1])["FID"], NotMeasured)
