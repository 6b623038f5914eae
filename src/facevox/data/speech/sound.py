"""Sound of any file, mono at 16 kHz."""

from pathlib import Path

import av
import av.error
import numpy as np
from jaxtyping import Float32

from facevox.core.errors import MediaError
from facevox.core.waveform import read_waveform, resample
from facevox.data.speech.settings import SAMPLE_RATE

_SOUND_FILES = (".wav", ".flac", ".ogg", ".mp3", ".opus")


def read_sound(
    path: Path, span: tuple[float, float] | None = None
) -> Float32[np.ndarray, " samples"]:
    """Return the sound of a sound or video file at 16 kHz.

    Sample 0 of a video is heard with its first picture.

    Args:
        path: The file.
        span: Which part, from and to [s]; None is all of it.

    Raises:
        MediaError: If the file is absent, cannot be read, or has no sound.
    """
    if path.suffix.lower() in _SOUND_FILES:
        waveform, _ = read_waveform(path, SAMPLE_RATE)
    else:
        waveform = _read_video(path)
    if span is not None:
        first, last = (round(time * SAMPLE_RATE) for time in span)
        waveform = waveform[max(0, first) : last]
    if not len(waveform):
        raise MediaError(f"{path} holds no sound.")
    return waveform


def _read_video(path: Path) -> Float32[np.ndarray, " samples"]:
    if not path.is_file():
        raise MediaError(f"There is no file {path}.")
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise MediaError(f"{path} has no sound.")
            stream = container.streams.audio[0]
            pieces = list(container.decode(stream))
            rate = stream.codec_context.sample_rate
            shown = _first_picture(container)
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"The sound of {path} cannot be read ({error}).") from error
    if not pieces:
        raise MediaError(f"{path} holds no sound.")
    late = round(((pieces[0].time or 0.0) - shown) * rate)
    mono = [_mono(piece.to_ndarray(), len(piece.layout.channels)) for piece in pieces]
    heard = np.concatenate([np.zeros(max(0, late), np.float32), *mono])[max(0, -late) :]
    return resample(np.nan_to_num(heard), rate, SAMPLE_RATE)


def _first_picture(container: "av.container.InputContainer") -> float:
    """Return when the first picture is shown [s]; 0 in a sound file."""
    for stream in container.streams.video:
        if stream.start_time is not None and stream.time_base is not None:
            return float(stream.start_time * stream.time_base)
    return 0.0


def _mono(samples: np.ndarray, channels: int) -> Float32[np.ndarray, " samples"]:
    """Return the mean of the channels of a decoded piece, planar or packed, in [-1, 1]."""
    scale = np.iinfo(samples.dtype).max + 1 if samples.dtype.kind == "i" else 1
    if samples.shape[0] == 1 and channels > 1:
        samples = samples.reshape(-1, channels).T
    return (samples.astype(np.float32) / scale).mean(axis=0, dtype=np.float32)
