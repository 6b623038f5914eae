"""A file whose end is missing is refused; whole ones pass, whatever their container."""

from fractions import Fraction

import av
import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.intact import check_intact


def write(path, codec="libx264", pix_fmt="yuv420p", seconds=3, options=None):
    noise = np.random.default_rng(0).integers(0, 255, (25, 64, 64, 3), np.uint8)
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 64, pix_fmt
        for index in range(25 * seconds):
            frame = av.VideoFrame.from_ndarray(noise[index % 25], format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "libx264", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
        ("a.mov", "mjpeg", "yuvj420p"),
    ],
)
def test_whole_files_pass(tmp_path, name, codec, pix_fmt):
    check_intact(write(tmp_path / name, codec, pix_fmt))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_file_cut_off_is_refused(tmp_path, name, share):
    path = write(tmp_path / name, options={"movflags": "+faststart"} if name == "a.mp4" else None)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"cut off: 3\.0. s were expected"):
        check_intact(path)


def test_what_is_no_video_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file"):
        check_intact(tmp_path / "absent.mp4")
    with pytest.raises(InputError, match="is a folder"):
        check_intact(tmp_path)
    path = tmp_path / "a.mp4"
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty file"):
        check_intact(path)
    path.write_text("hello " * 1000)
    with pytest.raises(InputError, match=r"cannot be read as a video \(Invalid data"):
        check_intact(path)


def test_sound_without_pictures_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.ones((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="no pictures"):
        check_intact(tmp_path / "a.wav")
