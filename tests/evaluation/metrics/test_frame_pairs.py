"""Frames against frames: which clips may be compared, and SSIM, PSNR and LPIPS themselves."""

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.clip import REAL, Clip
from facevox.evaluation.judges.lpips import tiny
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, Seen
from facevox.evaluation.metrics.frame_pairs import frame_pairs
from facevox.evaluation.metrics.lpips import Lpips, lpips
from facevox.evaluation.metrics.psnr import CEILING, Psnr, psnr
from facevox.evaluation.metrics.ssim import Ssim, ssim

METRICS = [(Psnr(), "psnr"), (Ssim(), "ssim"), (Lpips(), "lpips")]


def pictures(count, seed=0, side=80):
    rng = np.random.default_rng(seed)
    small = rng.integers(60, 200, (count, 10, 10, 3), dtype=np.uint8)
    return small.repeat(side // 10, 1).repeat(side // 10, 2)


@pytest.fixture
def judges(tmp_path):
    judges = Judges(tmp_path / "judges")
    backbone, heads = tiny()
    judges.put("alexnet", backbone)
    judges.put("lpips-heads", heads)
    return judges


def media_of(video, reference, judges, **facts):
    return ClipMedia(
        Clip(name="a", video=video, reference=reference, **({"system": "x"} | facts)), judges
    )


@pytest.mark.parametrize(("metric", "key"), METRICS)
def test_a_clip_that_is_its_recording(metric, key, save_frames, judges):
    assert isinstance(metric, Metric)
    video = save_frames("a", pictures(9))
    media = media_of(video, video, judges)
    seen = metric.observe(media)
    expected = {"psnr": CEILING, "ssim": 1.0, "lpips": 0.0}[key]
    assert float(seen[key]) == pytest.approx(expected, abs=1e-6)
    result = metric.summarise([Seen(media.clip, seen)] * 3)[metric.figures[0].name]
    assert isinstance(result, Estimate)
    assert result.value == pytest.approx(expected, abs=1e-6)
    assert result.count == 3


@pytest.mark.parametrize(("metric", "key"), METRICS)
def test_the_better_clip_has_the_better_number(metric, key, save_frames, judges):
    frames = pictures(4)
    noise = np.random.default_rng(1).standard_normal(frames.shape)
    real = save_frames("real", frames)
    values = []
    for name, strength in (("near", 5), ("far", 40)):
        video = save_frames(name, np.clip(frames + strength * noise, 0, 255).astype(np.uint8))
        values.append(float(metric.observe(media_of(video, real, judges))[key]))
    near, far = values
    assert far > near > 0 if metric.figures[0].better == "lower" else near > far


def test_another_timing_is_refused(save_frames, judges):
    video = save_frames("a", pictures(12))
    for reference in (save_frames("b", pictures(13)), save_frames("c", pictures(12), fps=30)):
        with pytest.raises(InputError, match="has not the timing of the recording"):
            next(frame_pairs(media_of(video, reference, judges)))


def test_where_nothing_can_be_compared(save_frames, judges):
    video = save_frames("a", pictures(3))
    with pytest.raises(InputError, match="no recording"):
        next(frame_pairs(media_of(video, None, judges)))
    with pytest.raises(InputError, match="another text"):
        next(frame_pairs(media_of(video, video, judges, reference_says_text=False)))
    with pytest.raises(InputError, match="not compared with itself"):
        next(frame_pairs(media_of(video, video, judges, system=REAL)))


def test_another_size_is_brought_to_the_recordings_with_a_note(save_frames, judges):
    frames = pictures(3)
    media = media_of(
        save_frames("a", frames.repeat(2, 1).repeat(2, 2)), save_frames("b", frames), judges
    )
    pairs = list(frame_pairs(media))
    assert [(a.shape, b.shape) for a, b in pairs] == [((80, 80, 3), (80, 80, 3))] * 3
    assert media.notes == ["frames resized to the recording's 80 x 80 px"]
    assert min(psnr(a, b) for a, b in pairs) > 25


@pytest.mark.parametrize("error", [1, 5, 60])
def test_psnr_of_a_constant_error(error):
    frame = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(frame, frame + np.uint8(error)) == pytest.approx(20 * np.log10(255 / error))
    assert psnr(frame, frame - np.uint8(error)) == pytest.approx(20 * np.log10(255 / error))
    assert psnr(frame, frame) == float("inf")


def test_one_wrong_value_stays_above_the_ceiling_nowhere_below():
    frame = np.zeros((288, 288, 3), np.uint8)
    other = frame.copy()
    other[5, 5, 1] = 1
    assert psnr(frame, other) > CEILING


def test_ssim_of_itself_and_of_flat_pictures():
    frame = pictures(1)[0]
    assert ssim(frame, frame) == pytest.approx(1)
    assert ssim(frame, frame[::-1].copy()) < 0.9
    dark, light = np.full((16, 16, 3), 100, np.uint8), np.full((16, 16, 3), 120, np.uint8)
    c1 = (0.01 * 255) ** 2  # without structure only the term of brightness is left
    assert ssim(dark, light) == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1))
    with pytest.raises(InputError, match="at least 11 px"):
        ssim(frame[:8], frame[:8])


def test_ssim_by_hand():
    """At the centre of an 11 x 11 picture, with the Gaussian of the paper."""
    from skimage.metrics import structural_similarity

    a, b = np.random.default_rng(0).integers(0, 256, (2, 11, 11, 3), dtype=np.uint8)
    axis = np.exp(-np.square(np.arange(-5, 6) / 1.5) / 2)
    window = np.outer(axis, axis)[..., None] / axis.sum() ** 2
    x, y = a.astype(float), b.astype(float)
    mx, my = (window * x).sum((0, 1)), (window * y).sum((0, 1))
    vx = (window * x * x).sum((0, 1)) - mx**2
    vy = (window * y * y).sum((0, 1)) - my**2
    vxy = (window * x * y).sum((0, 1)) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    known = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert ssim(a, b) == pytest.approx(known.mean(), abs=1e-9)
    assert structural_similarity(a, b, channel_axis=2, data_range=255) != pytest.approx(
        known.mean()
    )


def test_lpips_of_pictures(judges):
    backbone, heads = tiny()
    frames, other = pictures(2), pictures(2, seed=5)
    assert lpips(frames, frames, backbone, heads).tolist() == [0, 0]
    forth, back = lpips(frames, other, backbone, heads), lpips(other, frames, backbone, heads)
    np.testing.assert_allclose(forth, back, rtol=1e-5)
    assert (forth > 0).all()


def test_a_video_made_from_text_is_never_compared_frame_by_frame(save_frames, judges):
    video = save_frames("a", pictures(5))
    assert len(list(frame_pairs(media_of(video, video, judges)))) == 5
    spoken = media_of(video, video, judges, phones=())
    with pytest.raises(InputError, match="has not the timing of the recording"):
        next(frame_pairs(spoken))
