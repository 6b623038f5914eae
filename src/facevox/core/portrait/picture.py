"""Reading any picture a user may hand over as upright RGB."""

import contextlib
import io
import stat
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from facevox.core.errors import InputError, MediaError

MAX_PIXELS = 100_000_000
"""Larger pictures are refused: a small file can unpack to fill the memory."""

MIN_SIDE = 64
"""Shorter side below which no face can be animated [px]."""

BACKGROUND = (224, 224, 224)
"""What shows through transparent parts."""

PHOTO_FORMATS = tuple("JPEG MPO PNG WEBP AVIF GIF BMP DIB TIFF JPEG2000 PPM TGA ICO".split())

Source = str | Path | bytes | bytearray | memoryview | np.ndarray | Image.Image


def read_picture(source: Source) -> UInt8[np.ndarray, "height width 3"]:
    """Read a picture as upright RGB in sRGB.

    The EXIF rotation is applied, an embedded colour profile converted, transparency
    laid on light grey, and the first frame of an animation taken.

    Args:
        source: A path, the bytes of a file, a Pillow picture, or an array (H, W),
            (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, or floats from 0 to 1.

    Raises:
        InputError: If the source is of another type, shape or range, or too small.
        MediaError: If the file is absent, not a picture, damaged or too large.
    """
    if isinstance(source, np.ndarray):
        return _checked_size(_from_array(source))
    if isinstance(source, Image.Image):
        return _checked_size(_from_pillow(source, "The picture"))
    if isinstance(source, str | Path):
        return _checked_size(_decoded(_readable_file(Path(source)), str(source)))
    if isinstance(source, bytes | bytearray | memoryview):
        content = io.BytesIO(bytes(source))
        return _checked_size(_decoded(content, f"The {len(source)} bytes"))
    raise InputError(
        "A picture is a path, the bytes of a file, a Pillow picture or a numpy array; "
        f"got {type(source).__name__}."
    )


def _readable_file(path: Path) -> Path:
    name = str(path) if len(str(path)) <= 300 else f"{str(path)[:100]}..."
    try:
        status = path.stat()
    except PermissionError as error:
        raise MediaError(f"No permission to read {name}.") from error
    except (OSError, ValueError) as error:
        raise MediaError(f"There is no picture {name}; check the name.") from error
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(f"{name} is a folder; give the name of one picture.")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(f"{name} is not a file; give the name of a picture.")
    if not status.st_size:
        raise MediaError(f"{name} is an empty file; save or download the picture again.")
    return path


def _decoded(source: Path | io.BytesIO, name: str) -> np.ndarray:
    """Open and decode a file, turning what Pillow raises into plain words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of damaged EXIF; the pixels are fine
            with _opened(source) as image:
                return _from_pillow(image, name)
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{name}: not a picture that can be read; give a JPEG, PNG, WebP, GIF, BMP or TIFF "
            "(a HEIC photo must be saved as JPEG first)."
        ) from error
    except Image.DecompressionBombError as error:
        raise MediaError(_too_large(name)) from error
    except PermissionError as error:
        raise MediaError(f"No permission to read {name}.") from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError) as error:
        raise MediaError(
            f"{name}: the picture is damaged or cut off ({error}); save or download it again."
        ) from error


def _opened(source: Path | io.BytesIO) -> Image.Image:
    """Open a photo, loading the rarer formats only when the common ones do not fit.

    Formats that hold no photos stay shut: some run programs (EPS).
    """
    for load_formats in (Image.preinit, Image.init):
        load_formats()
        formats = [name for name in PHOTO_FORMATS if name in Image.OPEN]
        with contextlib.suppress(UnidentifiedImageError):
            return Image.open(source, formats=formats)
    raise UnidentifiedImageError(source)


def _from_pillow(image: Image.Image, name: str) -> np.ndarray:
    if image.width * image.height > MAX_PIXELS:
        raise MediaError(_too_large(name, image.width, image.height))
    if getattr(image, "n_frames", 1) > 1:
        image.seek(0)
    profile = image.info.get("icc_profile")
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _from_array(_to_unit_range(np.asarray(image)))
    image = _to_srgb(image, profile)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*BACKGROUND, 255)), image)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an embedded colour profile; leave the picture alone if that fails."""
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGBA" if image.mode == "RGBA" else "RGB",
        )
        return converted or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _to_unit_range(values: np.ndarray) -> np.ndarray:
    """Scale the values of a deep grey picture to 0 to 1.

    16-bit files hold 0 to 65535; a float file may hold 0 to 1 or 0 to 255.
    """
    values = np.nan_to_num(values.astype(np.float32))
    top = float(values.max(initial=0))
    full = 1.0 if top <= 1 else 255.0 if top <= 255 else 65535.0
    return np.clip(values / full, 0, 1)


def _from_array(array: np.ndarray) -> np.ndarray:
    """Bring an array to uint8 RGB."""
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise InputError(
            "A picture array has the shape (height, width), (height, width, 3) or "
            f"(height, width, 4); got {array.shape}."
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise MediaError(_too_large("The array", array.shape[1], array.shape[0]))
    array = _as_bytes(array)
    if array.shape[2] == 4:
        alpha = array[:, :, 3:].astype(np.float32) / 255
        mixed = array[:, :, :3] * alpha + np.array(BACKGROUND, np.float32) * (1 - alpha)
        return np.round(mixed).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))


def _as_bytes(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return np.round(array / 257.0).astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"A picture array has uint8 or float values; got {array.dtype}.")
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # also false for NaN
        raise InputError(
            f"A picture array of floats has values from 0 to 1; got {low:g} to {high:g}. "
            "Divide it by its maximum, or pass uint8."
        )
    return np.round(np.clip(array, 0, 1) * 255).astype(np.uint8)


def _checked_size(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise InputError(
            f"The picture is {width}x{height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are "
            "needed: give a larger photo."
        )
    return pixels


def _too_large(name: str, *size: Any) -> str:
    measured = f"{size[0]}x{size[1]} pixels" if size else "more pixels than can be opened safely"
    return f"{name} has {measured}; the limit is {MAX_PIXELS // 10**6} megapixels: shrink it first."
