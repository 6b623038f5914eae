import contextlib
import inspect
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from facevox.core.errors import InputError, MediaError
from facevox.core.portrait import picture
from facevox.core.portrait.picture import BACKGROUND, read_picture


def ramp(height: int = 70, width: int = 90) -> np.ndarray:
    """A picture in which every pixel tells where it is."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows, columns, rows + columns], axis=-1).astype(np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_files_come_back_exactly(kind):
    assert np.array_equal(read_picture(encoded(Image.fromarray(ramp()), kind)), ramp())


def test_path_text_bytes_pillow_and_array_agree(tmp_path):
    path = tmp_path / "ramp.png"
    Image.fromarray(ramp()).save(path)
    sources = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), ramp()]
    for source in [*sources, Image.open(path), Image.fromarray(ramp())]:
        assert np.array_equal(read_picture(source), ramp())


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: np.rot90(a, 2)),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, 1)),
        (7, lambda a: np.rot90(a, 2).swapaxes(0, 1)),
        (8, lambda a: np.rot90(a, -1)),
    ],
)
def test_exif_rotation_is_undone(orientation, stored):
    exif = Image.Exif()
    exif[0x112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored(ramp())))
    assert np.array_equal(read_picture(encoded(image, exif=exif)), ramp())


def test_a_pillow_picture_is_left_as_it_was():
    exif = Image.Exif()
    exif[0x112] = 6
    image = Image.open(io.BytesIO(encoded(Image.fromarray(ramp()), exif=exif)))
    read_picture(image)
    assert image.size == (90, 70)


@pytest.mark.parametrize("alpha", [0, 255])
def test_transparent_parts_show_the_background(alpha):
    layers = np.dstack([ramp(), np.full((70, 90), alpha, np.uint8)])
    expected = ramp() if alpha else np.broadcast_to(np.uint8(BACKGROUND), (70, 90, 3))
    assert np.array_equal(read_picture(encoded(Image.fromarray(layers))), expected)
    assert np.array_equal(read_picture(layers), expected)


def test_half_transparent_arrays_and_files_agree():
    layers = np.dstack([ramp(), np.full((70, 90), 100, np.uint8)])
    difference = read_picture(layers).astype(int) - read_picture(encoded(Image.fromarray(layers)))
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"])
def test_every_mode_becomes_rgb(mode):
    pixels = read_picture(Image.fromarray(ramp()).convert("RGB").convert(_via(mode)).convert(mode))
    assert pixels.shape == (70, 90, 3)
    assert pixels.dtype == np.uint8


def _via(mode: str) -> str:
    return {"LA": "L", "PA": "P", "LAB": "RGB"}.get(mode, "RGB")


def test_sixteen_bits_become_eight():
    grey = (np.arange(70 * 90).reshape(70, 90) * 10).astype(np.uint16)
    expected = np.repeat(np.round(grey / 257).astype(np.uint8)[..., None], 3, axis=2)
    assert np.abs(read_picture(grey).astype(int) - expected).max() <= 1
    assert np.abs(read_picture(encoded(Image.fromarray(grey))).astype(int) - expected).max() <= 1


def test_the_first_frame_of_an_animation_is_taken():
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "lime", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_picture(content)[0, 0], (255, 0, 0))


def test_an_embedded_profile_is_converted():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"****").replace(b"gXYZ", b"rXYZ").replace(b"****", b"gXYZ")
    red = Image.new("RGB", (80, 80), "red")
    assert np.abs(read_picture(encoded(red, icc_profile=profile)) - [255, 0, 0]).max() <= 1
    assert np.abs(read_picture(encoded(red, icc_profile=swapped)) - [0, 255, 0]).max() <= 1


def test_a_broken_profile_is_ignored():
    content = encoded(Image.fromarray(ramp()), icc_profile=b"not a profile")
    assert np.array_equal(read_picture(content), ramp())


@given(
    st.sampled_from([np.uint8, np.float32, np.float64]),
    st.sampled_from([(), (1,), (3,), (4,)]),
    st.integers(64, 80),
    st.integers(64, 80),
)
def test_arrays_of_any_kind(dtype, channels, height, width):
    top = 255 if dtype == np.uint8 else 1
    array = np.random.default_rng(height).uniform(0, top, (height, width, *channels)).astype(dtype)
    pixels = read_picture(array)
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    if channels != (4,):
        again = array if array.ndim == 3 else array[..., None]
        expected = np.broadcast_to(np.round(again * (255.0 / top)), pixels.shape)
        assert np.abs(pixels - expected).max() <= 1


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((100, 100, 2), np.uint8),
        np.zeros(100, np.uint8),
        np.zeros((2, 100, 100, 3), np.uint8),
        np.zeros((100, 100, 3), np.int64),
        np.full((100, 100, 3), 2.0),
        np.full((100, 100, 3), np.nan),
        np.full((100, 100), -0.5),
        np.zeros((100, 100), complex),
        np.zeros((63, 100, 3), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        Image.new("RGB", (100, 10)),
        None,
        7,
        ["a.jpg"],
    ],
)
def test_wrong_sources_are_input_errors(source):
    with pytest.raises(InputError):
        inspect.unwrap(read_picture)(source)  # the tests' type checks would come first


def test_files_that_are_no_pictures(tmp_path):
    empty, text, cut = (tmp_path / name for name in ("empty.jpg", "text.jpg", "cut.jpg"))
    empty.write_bytes(b"")
    text.write_text("Not a picture at all, only words. " * 20)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    cut.write_bytes(encoded(Image.fromarray(noise), "JPEG")[:3000])
    names = (tmp_path, tmp_path / "absent.jpg", "a\0b.jpg", "", "long" * 2000, "/dev/zero")
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\nshowpage\n"
    for source in (empty, text, cut, *names, b"", b"abc", postscript):
        with pytest.raises(MediaError) as caught:
            read_picture(source)
        assert 20 < len(str(caught.value)) < 500
        assert "\n" not in str(caught.value)


@given(st.integers(0, 400), st.integers(0, 255))
def test_damaged_files_never_raise_anything_else(place, value):
    content = bytearray(encoded(Image.fromarray(ramp()), "JPEG"))
    content[place % len(content)] = value
    with contextlib.suppress(MediaError, InputError):
        assert read_picture(bytes(content)).shape[2] == 3


def test_huge_pictures_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(picture, "MAX_PIXELS", 90 * 70 - 1)
    for source in (encoded(Image.fromarray(ramp())), Image.fromarray(ramp()), ramp()):
        with pytest.raises(MediaError, match=r"90x70 pixels"):
            read_picture(source)


def test_a_decompression_bomb_is_refused():
    bomb = encoded(Image.new("1", (15000, 15000)))
    assert len(bomb) < 200_000
    with pytest.raises(MediaError, match="limit"):
        read_picture(bomb)
