from fractions import Fraction

import cv2
import numpy as np
import pytest
from made_media import tell

from facevox.core.errors import InputError
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS, Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, Seen
from facevox.evaluation.metrics.face_kept import IOD, FaceKept, face_kept, photo_face


@pytest.fixture(scope="module")
def portrait(astronaut) -> Portrait:
    return read_portrait(astronaut)


def moved(portrait: Portrait, angle: float, scale: float, size: int) -> tuple:
    """The photo turned and scaled about its face, with the landmarks that go with it."""
    middle = portrait.landmarks[[RIGHT_IRIS, LEFT_IRIS], :2].mean(0)
    m = cv2.getRotationMatrix2D(middle.tolist(), angle, scale)
    m[:, 2] += size / 2 - middle
    landmarks = portrait.landmarks.copy()
    landmarks[:, :2] = (landmarks[:, :2] - 0.5) @ m[:, :2].T + m[:, 2] + 0.5
    pixels = cv2.warpAffine(portrait.pixels, m, (size, size), flags=cv2.INTER_AREA)
    return pixels, landmarks.astype(np.float32)


def test_the_photo_is_wholly_kept(portrait):
    photo = photo_face(portrait.pixels, portrait.landmarks)
    ssim, ncc = face_kept(photo, portrait.pixels, portrait.landmarks)
    assert ssim == pytest.approx(1, abs=1e-3)
    assert ncc == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("angle", "scale"), [(12, 1.0), (-7, 1.6), (0, 0.9)])
def test_a_turned_and_scaled_photo_is_kept(portrait, angle, scale):
    photo = photo_face(portrait.pixels, portrait.landmarks)
    ssim, ncc = face_kept(photo, *moved(portrait, angle, scale, 480))
    assert ssim > 0.93
    assert ncc > 0.99


def test_landmarks_that_are_a_little_off_cost_nothing(portrait):
    photo = photo_face(portrait.pixels, portrait.landmarks)
    unit = portrait.iod / IOD
    for pixels_off, least, most in ((1.5, 0.98, 1.0), (12.0, -1.0, 0.6)):
        shifted = portrait.landmarks + np.float32([pixels_off * unit, 0, 0])
        assert least < face_kept(photo, portrait.pixels, shifted)[0] < most


def test_eyes_and_mouth_do_not_count(portrait):
    photo = photo_face(portrait.pixels, portrait.landmarks)
    painted = portrait.pixels.copy()
    for index, radius in ((RIGHT_IRIS, 0.13), (LEFT_IRIS, 0.13), (14, 0.35)):
        x, y = portrait.landmarks[index, :2].round().astype(int).tolist()
        cv2.circle(painted, (x, y), round(radius * portrait.iod), (0, 255, 0), -1)
    assert min(face_kept(photo, painted, portrait.landmarks)) > 0.98


def test_brightness_does_not_count_for_correlation(portrait):
    photo = photo_face(portrait.pixels, portrait.landmarks)
    darker = (portrait.pixels * 0.6).astype(np.uint8)
    ssim, ncc = face_kept(photo, darker, portrait.landmarks)
    assert ncc > 0.99
    assert ssim < 0.95


def test_a_mirrored_or_blurred_face_is_less(portrait):
    photo = photo_face(portrait.pixels, portrait.landmarks)
    blurred = cv2.GaussianBlur(portrait.pixels, (0, 0), 3)
    assert face_kept(photo, blurred, portrait.landmarks)[0] < 0.8
    noise = np.random.default_rng(0).integers(0, 256, portrait.pixels.shape, np.uint8)
    ssim, ncc = face_kept(photo, noise, portrait.landmarks)
    assert ssim < 0.2
    assert abs(ncc) < 0.2


def test_a_face_outside_the_photo_is_refused(portrait):
    with pytest.raises(InputError, match="too little"):
        photo_face(portrait.pixels[:40, :40].copy(), portrait.landmarks)


def test_the_metric_sums_up(portrait, tmp_path):
    media = ClipMedia(Clip(name="a", video=tmp_path / "a.mp4"), Judges(tmp_path))
    landmarks = np.repeat(portrait.landmarks[None], 11, 0)
    landmarks[5] = np.nan
    half = 0.5 * landmarks
    small = cv2.resize(portrait.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    tell(media, portrait=portrait, landmarks=half, fps=Fraction(25), frames=[small] * 11)
    metric = FaceKept()
    assert isinstance(metric, Metric)
    results = metric.summarise([Seen(media.clip, metric.observe(media))])
    assert set(results) == {figure.name for figure in metric.figures}
    ssim = results["face kept (SSIM)"]
    assert isinstance(ssim, Estimate)
    assert 0.7 < ssim.value < 0.99
    assert media.notes == [
        "1 of 11 frames show no face",
        f"irises {portrait.iod / 2:.0f} px apart: SSIM with the photo suffers below {IOD:g}",
    ]
    media.landmarks[:] = np.nan
    with pytest.raises(InputError, match="face"):
        metric.observe(media)


def test_other_people_are_told_apart(shared):
    """face kept between a neutral and a smiling photo: high for one person, low for two."""
    folder = shared / "data" / "faces" / "london"
    neutral, smiling = (
        sorted((folder / kind).glob("*.jpg"))[:6] for kind in ("neutral", "smiling")
    )
    photos = [photo_face(p.pixels, p.landmarks) for p in map(read_portrait, neutral)]
    others = [read_portrait(path) for path in smiling]
    table = np.array(
        [[face_kept(photo, p.pixels, p.landmarks)[1] for p in others] for photo in photos]
    )
    assert (table.argmax(1) == np.arange(6)).all()
