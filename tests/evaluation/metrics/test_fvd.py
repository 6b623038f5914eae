from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from facevox.core.errors import InputError
from facevox.evaluation.clip import REAL, Clip
from facevox.evaluation.judges.i3d import tiny
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.frechet import frechet_distance
from facevox.evaluation.metrics.fvd import Fvd, draw_one, shrink_and_crop, windows

NAME = "FVD (StyleGAN-V)"


class Sizes:
    """A judge that keeps what it was shown."""

    def features(self, clips):
        self.seen = clips
        return clips.mean((1, 3, 4)).numpy()[:, :8]


@pytest.fixture
def judges(tmp_path, still_face):
    judges = Judges(tmp_path / "judges")
    judges.put("i3d-stylegan-v", Sizes())
    judges.put("i3d-kinetics", tiny())
    judges.put("attention-mesh", still_face)
    return judges


def walk(count, height=64, width=96):
    """Frames whose brightness tells their number."""
    return np.stack([np.full((height, width, 3), 40 + 4 * k, np.uint8) for k in range(count)])


@pytest.mark.parametrize("metric", [Fvd(), Fvd("pytorch-i3d"), Fvd(face=True)])
def test_it_is_a_metric(metric):
    assert isinstance(metric, Metric)
    assert metric.uses_landmarks == ("face" in metric.name)


def test_variants_have_names_of_their_own():
    metrics = [Fvd(v, face=f) for v in ("StyleGAN-V", "pytorch-i3d") for f in (False, True)]
    assert len({m.name for m in metrics}) == len({m.figures[0].name for m in metrics}) == 4


def test_windows_follow_one_another_and_a_rest_is_dropped():
    found = list(windows(walk(40, 4, 4)))
    assert [clip.shape for clip in found] == [(16, 4, 4, 3)] * 2
    np.testing.assert_array_equal(np.concatenate(found), walk(32, 4, 4))


def test_every_window_is_drawn_alike_and_a_name_always_draws_the_same():
    clips = [np.full((1, 1, 1, 3), k, np.uint8) for k in range(4)]
    drawn = [int(draw_one(iter(clips), f"video {k}").max()) for k in range(2000)]
    counts = np.bincount(drawn, minlength=4)
    assert (np.abs(counts - 500) < 80).all()
    assert int(draw_one(iter(clips), "video 7").max()) == drawn[7]
    assert draw_one(iter([]), "video") is None


@pytest.mark.parametrize(
    ("height", "width"), [(64, 96), (96, 64), (224, 224), (288, 360), (60, 61)]
)
def test_pictures_are_shrunk_and_cropped_as_the_protocol_says(height, width):
    rng = np.random.default_rng(0)
    clip = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    found = shrink_and_crop(clip)
    assert found.shape == (3, 2, 224, 224)
    scale = 224 / min(height, width)
    size = (
        (224, int(np.ceil(width * scale)))
        if height < width
        else (int(np.ceil(height * scale)), 224)
    )
    known = interpolate(
        torch.from_numpy(clip).permute(0, 3, 1, 2) / 255, size=size, mode="bilinear"
    )
    top, left = (size[0] - 224) // 2, (size[1] - 224) // 2
    known = known[:, :, top : top + 224, left : left + 224] * 2 - 1
    np.testing.assert_allclose(found, known.permute(1, 0, 2, 3).numpy(), atol=1e-6)
    assert -1 <= found.min() < found.max() <= 1


def test_a_clip_is_scored_at_25_fps(save_frames, judges):
    video = save_frames("a", walk(40), fps=50)
    media = ClipMedia(Clip(name="a", video=video, system=REAL), judges)
    seen = Fvd().observe(media)["made"]
    assert seen.shape == (1, 8)
    assert judges.load("i3d-stylegan-v").seen.shape == (1, 3, 16, 224, 224)
    steps = np.diff(judges.load("i3d-stylegan-v").seen.mean((0, 1, 3, 4)).numpy())
    np.testing.assert_allclose(steps, 8 / 127.5, atol=0.01)
    assert "50 fps resampled" in media.notes[0]


def test_notes_on_a_recording_are_told_by_every_clip_that_shares_it(save_frames, judges):
    real = save_frames("real", walk(40), fps=50)
    for name in ("a", "b"):
        clip = Clip(name=name, video=save_frames(name, walk(16)), system="x", reference=real)
        media = ClipMedia(clip, judges)
        Fvd().observe(media)
        assert media.notes == ["recording: 50 fps resampled to 25 by nearest frame"]


def test_the_face_variant_sees_the_face_square(save_frames, judges):
    frames = walk(16, 128, 128)
    frames[:, :, :10] = 255
    media = ClipMedia(Clip(name="a", video=save_frames("a", frames), system=REAL), judges)
    Fvd(face=True).observe(media)
    assert judges.load("i3d-stylegan-v").seen.max() < 0.3
    Fvd().observe(media)
    assert judges.load("i3d-stylegan-v").seen.max() > 0.9
    assert Fvd("pytorch-i3d").observe(media)["made"].shape == (1, 8)


def test_a_short_video_is_refused(save_frames, judges):
    media = ClipMedia(Clip(name="a", video=save_frames("a", walk(15)), system=REAL), judges)
    with pytest.raises(InputError, match="shorter than the 16 frames"):
        Fvd().observe(media)


def seen_of(name, made, recorded=None, system="x"):
    reference = None if recorded is None else Path(f"real_{name}.mp4")
    clip = Clip(name=name, video=Path(f"{name}.mp4"), system=system, reference=reference)
    return Seen(clip, {"made": made} | ({} if recorded is None else {"recorded": recorded}))


def test_the_number_is_the_frechet_distance_of_as_many_real_videos():
    rng = np.random.default_rng(0)
    made, real = rng.standard_normal((2, 12, 1, 8)).astype(np.float32)
    seen = [seen_of(f"v{k:02d}", made[k], real[k]) for k in range(12)]
    result = Fvd().summarise(seen)[NAME]
    assert isinstance(result, Estimate)
    assert result.value == pytest.approx(frechet_distance(made[:, 0], real[:, 0]), rel=1e-6)
    assert (result.count, result.of, result.low) == (12, "videos", None)


def test_too_few_videos_are_refused():
    rng = np.random.default_rng(0)
    seen = [seen_of(f"v{k}", *rng.standard_normal((2, 1, 400))) for k in range(3)]
    result = Fvd().summarise(seen)[NAME]
    assert isinstance(result, NotMeasured)
    assert "at least 401 videos on each side, there are 3 and 3" in result.reason
    alone = Fvd().summarise([seen_of("a", np.zeros((0, 0)))])[NAME]
    assert isinstance(alone, NotMeasured)
    assert "no recordings" in alone.reason


def test_recordings_alone_are_halved():
    rng = np.random.default_rng(0)
    seen = [seen_of(f"v{k}", rng.standard_normal((1, 4)), system=REAL) for k in range(60)]
    result = Fvd().summarise(seen)[NAME]
    assert isinstance(result, Estimate)
    assert result.count == 30
    assert "halves" in result.note
    assert isinstance(Fvd().summarise(seen[:1])[NAME], NotMeasured)
