import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from facevox.core.chunk import Chunk
from facevox.core.clock import Clock
from facevox.core.errors import InputError
from facevox.core.motion import Motion
from facevox.core.video import write_video
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.syncnet import SyncNet, tiny
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, Seen
from facevox.evaluation.metrics.sync_confidence import (
    FEWEST_FRAMES,
    SyncConfidence,
    lse_from_embeddings,
    num_windows,
)
from facevox.evaluation.signals.face_track import EYES, MOUTH, NOSE

SAMPLES_PER_FRAME = 640
WIDTH, HEIGHT = 288, 288


class OracleSyncNet:
    """Knows the truth: pictures and sound of one moment have one loudness.

    `film` makes every picture as bright as its sound is loud; both streams read that
    loudness back, window by window.
    """

    def embed_video(self, frames) -> np.ndarray:
        levels = np.array([pixels[60:200, 80:200].mean() / 255 for pixels in frames])
        return np.lib.stride_tricks.sliding_window_view(levels, 5) * 10

    def embed_audio(self, cepstra: np.ndarray) -> np.ndarray:
        # of the four steps of a frame, the first two lie in it wholly
        loud = np.exp((cepstra[:, 0] - cepstra[:, 0].max()) / 2)
        loud = loud[: len(loud) // 4 * 4 + 1]
        levels = np.array([loud[k : k + 2].mean() for k in range(0, len(loud) - 1, 4)])
        return np.lib.stride_tricks.sliding_window_view(levels, 5) * 10


class SteadyTracker:
    """Lays one frontal face over every frame; none over those in `without`."""

    def __init__(self, size: float = 50, without: tuple[int, ...] = ()) -> None:
        self.size, self.without = size, without

    def track(self, frames) -> np.ndarray:
        half = self.size / 2
        points = np.zeros((478, 3), np.float32)
        points[list(EYES[0])] = 140 - half, 120 - half, 0
        points[list(EYES[1])] = 140 + half, 120 - half, 0
        points[NOSE] = 140, 120, 0
        points[MOUTH[0]], points[MOUTH[1]] = (
            (140 - half, 120 + half, 0),
            (140 + half, 120 + half, 0),
        )
        rows = np.stack([points for _ in frames])
        rows[list(self.without)] = np.nan
        return rows


def levels(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 1, count)


def film(path: Path, shown: np.ndarray, heard: np.ndarray, fps: int = 25) -> Path:
    """Write pictures as bright as `shown`, and a buzz as loud as `heard`, 25 values a second."""
    count = len(shown) * fps // 25
    picture = shown[(np.arange(count) * 25 // fps)]
    samples = np.arange(len(heard) * SAMPLES_PER_FRAME)
    buzz = np.sign(np.sin(2 * np.pi * 200 * samples / 16_000)) * 0.4
    waveform = (buzz * np.repeat(heard, SAMPLES_PER_FRAME)).astype(np.float32)
    chunk = Chunk(
        frames=(np.full((HEIGHT, WIDTH, 3), round(255 * b), np.uint8) for b in picture),
        num_frames=count, waveform=waveform, first_frame=0, first_sample=0, phones=(),
        motion=Motion.rest(count), text="x", done=1.0,
    )  # fmt: skip
    clock = Clock(sample_rate=16_000, fps=Fraction(fps))
    write_video(path, [chunk], clock=clock, size=(WIDTH, HEIGHT))
    return path


def media_of(path: Path, tracker: SteadyTracker | None = None) -> ClipMedia:
    judges = Judges(path.parent)
    judges.put("syncnet", OracleSyncNet())
    judges.put("attention-mesh", tracker or SteadyTracker())
    return ClipMedia(Clip(name=path.stem, video=path), judges)


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict[str, dict]:
    """What both protocols say of clips whose truth is known."""
    folder = tmp_path_factory.mktemp("sync")
    truth = levels(90)
    early, late = truth[10:80], truth[5:75]
    clips = {
        "together": film(folder / "together.mp4", early, early),
        "late5": film(folder / "late5.mp4", late, early),
        "early3": film(folder / "early3.mp4", truth[13:83], early),
        "strange": film(folder / "strange.mp4", levels(70, seed=9), early),
    }
    return {
        f"{name} {protocol}": SyncConfidence(protocol).observe(media_of(path))
        for name, path in clips.items()
        for protocol in ("crop", "whole-frame")
    }


@pytest.mark.parametrize("protocol", ["crop", "whole-frame"])
def test_offset_has_the_right_size_and_sign(seen, protocol):
    assert seen[f"together {protocol}"]["offset"] == 0
    assert seen[f"late5 {protocol}"]["offset"] == 5
    assert seen[f"early3 {protocol}"]["offset"] == -3


@pytest.mark.parametrize("protocol", ["crop", "whole-frame"])
def test_confidence_falls_when_the_sound_is_another_clips(seen, protocol):
    good, bad = seen[f"together {protocol}"], seen[f"strange {protocol}"]
    assert good["confidence"] > 5 * bad["confidence"]
    assert good["distance"] < 0.5 * bad["distance"]


def test_a_shift_leaves_confidence_as_it_is(seen):
    ratio = seen["late5 crop"]["confidence"] / seen["together crop"]["confidence"]
    assert 0.85 < ratio < 1.15


def brute_force(video: torch.Tensor, audio: torch.Tensor, vshift: int) -> torch.Tensor:
    """Distances pair by pair, by the functions that the published code calls."""
    nothing = torch.zeros(audio.shape[1])
    rows = []
    for i in range(len(video)):
        row = []
        for k in range(-vshift, vshift + 1):
            other = audio[i + k] if 0 <= i + k < len(audio) else nothing
            row.append(torch.nn.functional.pairwise_distance(video[i][None], other[None])[0])
        rows.append(torch.stack(row))
    return torch.stack(rows).mean(0)


@pytest.mark.parametrize("windows", [1, 16, 40])
def test_equals_brute_force(windows):
    generator = torch.Generator().manual_seed(windows)
    video = torch.randn(windows, 1024, generator=generator)
    audio = torch.randn(windows, 1024, generator=generator)
    curve = brute_force(video, audio, 15)
    score = lse_from_embeddings(video.numpy(), audio.numpy())
    np.testing.assert_allclose(score.curve, curve.numpy(), rtol=1e-5)
    assert score.offset == 15 - int(curve.argmin())
    assert score.distance == pytest.approx(float(curve.min()), rel=1e-5)
    assert score.confidence == pytest.approx(float(curve.median() - curve.min()), abs=1e-4)


def test_known_offset_in_embeddings():
    truth = np.random.default_rng(0).normal(size=(60, 8))
    assert lse_from_embeddings(truth[10:50], truth[14:54]).offset == 4
    assert lse_from_embeddings(truth[14:54], truth[10:50]).offset == -4
    assert lse_from_embeddings(truth[:40], truth[:40]).distance == pytest.approx(0, abs=1e-4)


def test_nothing_to_compare_is_refused():
    with pytest.raises(InputError, match="no window"):
        lse_from_embeddings(np.zeros((0, 4)), np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("frames", "samples", "windows"),
    [(75, 75 * 640, 70), (75, 75 * 640 - 1, 69), (60, 99_999, 55), (5, 99_999, 0), (0, 0, 0)],
)
def test_number_of_windows(frames, samples, windows):
    assert num_windows(frames, samples) == windows


@pytest.mark.parametrize("protocol", ["crop", "whole-frame"])
def test_too_short_is_refused(tmp_path, protocol):
    fewest = FEWEST_FRAMES[protocol]
    path = film(tmp_path / "a.mp4", levels(fewest - 1), levels(fewest - 1))
    with pytest.raises(InputError, match=f"{fewest - 1} frames.*needs {fewest}"):
        SyncConfidence(protocol).observe(media_of(path))
    path = film(tmp_path / "b.mp4", levels(fewest), levels(fewest))
    assert SyncConfidence(protocol).observe(media_of(path))["windows"] == fewest - 5


def test_no_sound_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4", levels(60), np.zeros(60))
    with pytest.raises(InputError, match="silence"):
        SyncConfidence("whole-frame").observe(media_of(path))


def test_thirty_frames_a_second_are_resampled_and_noted(tmp_path):
    truth = levels(75)
    media = media_of(film(tmp_path / "a.mp4", truth[5:65], truth[10:70], fps=30))
    observation = SyncConfidence("crop").observe(media)
    assert observation["offset"] == 5
    assert observation["windows"] == 55
    assert "30 fps resampled to 25 by nearest frame" in media.notes


def test_frames_without_a_face_move_nothing(tmp_path):
    """A track that begins late takes its own stretch of the sound."""
    truth = levels(90)
    path = film(tmp_path / "a.mp4", truth[5:75], truth[10:80])
    media = media_of(path, SteadyTracker(without=tuple(range(12))))
    observation = SyncConfidence("crop").observe(media)
    assert observation["offset"] == 5
    assert observation["windows"] == 53
    assert media.notes == ["sync scored on 58 of 70 frames, those with the face"]


def with_late_sound(path: Path, seconds: float, target: Path) -> Path:
    """Copy a video so that its sound track begins later."""
    with av.open(str(path)) as old, av.open(str(target), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                packet.pts += round(seconds / packet.time_base)
                packet.dts += round(seconds / packet.time_base)
            packet.stream = streams[packet.stream.index]
            new.mux(packet)
    return target


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_a_sound_track_that_begins_late_counts(tmp_path, kind):
    path = film(tmp_path / "a.mp4", levels(60), levels(60))
    late = with_late_sound(path, 0.2, tmp_path / f"late.{kind}")
    assert SyncConfidence("whole-frame").observe(media_of(late))["offset"] == -5
    same = with_late_sound(path, 0.0, tmp_path / f"same.{kind}")
    assert SyncConfidence("whole-frame").observe(media_of(same))["offset"] == 0


def test_a_small_face_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4", levels(60), levels(60))
    with pytest.raises(InputError, match="76 px high"):
        SyncConfidence("crop").observe(media_of(path, SteadyTracker(size=25.4)))


def test_runs_with_a_network(tmp_path):
    torch.manual_seed(0)
    media = media_of(film(tmp_path / "a.mp4", levels(52), levels(52)))
    media.judges.put("syncnet", SyncNet(tiny()).eval())
    observation = SyncConfidence("crop").observe(media)
    assert all(np.isfinite(value).all() for value in observation.values())
    assert observation["curve"].shape == (31,)
    again = SyncConfidence("crop").observe(media)
    assert all(np.array_equal(again[key], value) for key, value in observation.items())


def test_summary(seen):
    metric = SyncConfidence("crop")
    assert isinstance(metric, Metric)
    names = ("together", "late5", "early3")
    clips = [Seen(Clip(name=name, video=Path(name)), seen[f"{name} crop"]) for name in names]
    results = metric.summarise(clips)
    assert list(results) == [figure.name for figure in metric.figures]
    confidence, distance, offset, on_time = results.values()
    values = [float(seen[f"{name} crop"]["confidence"]) for name in names]
    assert isinstance(confidence, Estimate)
    assert confidence.value == pytest.approx(np.mean(values))
    assert isinstance(offset, Estimate)
    assert offset.value == 0
    assert isinstance(on_time, Estimate)
    assert on_time.value == pytest.approx(100 / 3)
    assert isinstance(distance, Estimate)
    assert distance.count == 3


def test_offsets_that_mean_little_are_told():
    def clip(confidence: float, offset: int) -> Seen:
        observation = {
            "confidence": np.array(confidence), "distance": np.array(8.0),
            "offset": np.array(float(offset)),
        }  # fmt: skip
        return Seen(Clip(name=f"{offset}", video=Path("x")), observation)

    results = SyncConfidence("crop").summarise([clip(7.0, 0), clip(0.4, -15), clip(6.0, 1)])
    offset = results["AV offset (crop)"]
    assert isinstance(offset, Estimate)
    assert (offset.value, offset.note) == (0, "1 of 3 clips have LSE-C below 1")


def test_sound_without_pictures_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4", levels(60), levels(60))
    with av.open(str(path)) as old, av.open(str(tmp_path / "b.m4a"), "w") as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(old.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    with pytest.raises(InputError, match=r"has no pictures|cannot be read as a video"):
        SyncConfidence("crop").observe(media_of(tmp_path / "b.m4a"))


def test_the_two_protocols_share_no_name():
    crop, whole = SyncConfidence("crop"), SyncConfidence("whole-frame")
    assert crop.name != whole.name
    assert not {f.name for f in crop.figures} & {f.name for f in whole.figures}


def test_published_self_test():
    """The example that comes with the network: offset 3, distance 5.353, confidence 10.021."""
    example = os.environ.get("FACEVOX_SYNCNET_EXAMPLE")
    if not example:
        pytest.skip("FACEVOX_SYNCNET_EXAMPLE does not name SyncNet's data/example.avi")
    judges = Judges()
    if problem := judges.problem("syncnet"):
        pytest.skip(problem)
    media = ClipMedia(Clip(name="example", video=Path(example)), judges)
    observation = SyncConfidence("whole-frame").observe(media)
    assert observation["offset"] == 3
    assert observation["distance"] == pytest.approx(5.353, abs=0.1)
    assert observation["confidence"] == pytest.approx(10.021, abs=0.1)
