import os
from fractions import Fraction

import av
import numpy as np
import pytest

from facevox.core.chunk import Chunk
from facevox.core.clock import Clock
from facevox.core.errors import InputError, MediaError
from facevox.core.motion import Motion
from facevox.core.talking_face import TalkingFace
from facevox.core.video import SYNTHETIC, check_video_path
from facevox.core.voice import Voice

WIDTH, HEIGHT = 96, 64


def tone(first: int, count: int, sample_rate: int) -> np.ndarray:
    time = np.arange(first, first + count) / sample_rate
    return (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def counted_frame(index: int) -> np.ndarray:
    """A grey picture with a white square that walks one pixel per frame."""
    frame = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    frame[20:40, index % 70 : index % 70 + 20] = 220
    return frame


def fake_face(lengths, clock=None, fail_at=None) -> TalkingFace:
    clock = clock or Clock()

    def chunks():
        sample = frame = 0
        for number, length in enumerate(lengths, start=1):
            count = clock.num_frames(sample + length) - frame

            def frames(first=frame, count=count):
                for index in range(first, first + count):
                    if index == fail_at:
                        raise KeyboardInterrupt
                    yield counted_frame(index)

            yield Chunk(
                frames=frames(), num_frames=count, waveform=tone(sample, length, clock.sample_rate),
                first_frame=frame, first_sample=sample, phones=(), motion=Motion.rest(count),
                text="x", done=number / len(lengths),
            )  # fmt: skip
            sample, frame = sample + length, frame + count

    return TalkingFace(
        clock=clock, size=(WIDTH, HEIGHT), voice=Voice(), seed=0, system="fake", text="Hello.",
        chunks=chunks,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fps", "sample_rate"), [(25, 16_000), (30, 24_000), ("30000/1001", 22_050)]
)
def test_frames_and_sound_have_exactly_their_length(tmp_path, fps, sample_rate):
    clock = Clock(sample_rate=sample_rate, fps=Fraction(fps))
    lengths = [17_777, 5_001, 31_234]
    saved = fake_face(lengths, clock).save(tmp_path / "a.mp4")
    with av.open(str(saved.path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.frames == saved.num_frames == clock.num_frames(sum(lengths))
        assert video.start_time == 0
        assert sound.start_time == 0
        assert sound.sample_rate == sample_rate
        assert sound.duration * sound.time_base * sample_rate == sum(lengths)
        assert video.duration * video.time_base == saved.num_frames / clock.fps
        assert sum(1 for _ in container.decode(video=0)) == saved.num_frames


def test_sound_starts_with_the_picture(tmp_path):
    path = fake_face([16_000, 16_000]).save(tmp_path / "a.mp4").path
    with av.open(str(path)) as container:
        heard = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    said = tone(0, 32_000, 16_000)
    errors = {
        lag: np.abs(heard[4000 + lag : 20_000 + lag] - said[4000:20_000]).mean()
        for lag in (-1024, -10, 0, 10, 1024)
    }
    assert min(errors, key=errors.get) == 0
    assert errors[0] < 0.02


def test_colours_come_back(tmp_path):
    path = fake_face([8_000]).save(tmp_path / "a.mp4").path
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(frame.astype(int) - counted_frame(0)).mean() < 2.0


def test_file_says_that_it_is_synthetic_and_starts_with_its_index(tmp_path):
    path = fake_face([8_000]).save(tmp_path / "a.mp4").path
    with av.open(str(path)) as container:
        assert container.metadata["comment"] == SYNTHETIC
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_same_content_same_bytes(tmp_path):
    first = fake_face([20_000]).save(tmp_path / "a.mp4").path.read_bytes()
    assert first == fake_face([20_000]).save(tmp_path / "b.mp4").path.read_bytes()


def test_ctrl_c_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fake_face([40_000], fail_at=20).save(tmp_path / "a.mp4")
    assert os.listdir(tmp_path) == []


def test_ctrl_c_keeps_the_older_video(tmp_path):
    path = fake_face([8_000]).save(tmp_path / "a.mp4").path
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        fake_face([40_000], fail_at=20).save(path)
    assert path.read_bytes() == before


def test_bad_targets_are_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.mp4"):
        check_video_path(tmp_path / "a.avi")
    with pytest.raises(MediaError, match="does not exist"):
        check_video_path(tmp_path / "absent" / "a.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(MediaError, match="is a folder"):
        check_video_path(tmp_path / "folder.mp4")


def test_progress_rises_to_one(tmp_path):
    seen = []
    fake_face([8_000, 16_000]).save(tmp_path / "a.mp4", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) == 38 + 1  # every frame, then the end
