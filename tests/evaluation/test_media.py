"""What metrics see of a clip: the right frames, the right sound, or a sentence."""

import struct
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_media import tell

from facevox.core.errors import FacevoxError, InputError, MediaError, MissingPiece
from facevox.core.speech import Phone
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia, read_frames, read_sound
from facevox.evaluation.metrics.psnr import Psnr
from facevox.evaluation.observe import look

RATE = 16_000
STRIPE = 8


def picture(number: int) -> np.ndarray:
    """A frame that carries its number as eight black or white stripes."""
    bits = [(number >> bit) & 1 for bit in range(8)]
    return (
        np.repeat(np.array(bits, np.uint8) * 255, STRIPE)[None, :, None].repeat(64, 0).repeat(3, 2)
    )


def number_of(pixels: np.ndarray) -> int:
    bits = pixels.mean(axis=(0, 2)).reshape(8, STRIPE).mean(1) > 128
    return int(sum(int(bit) << place for place, bit in enumerate(bits)))


def write(
    path: Path,
    *,
    frames: int = 0,
    fps: Fraction | int = 25,
    times=None,
    sounds=None,
    rate=RATE,
    codec="aac",
    late=0.0,
) -> Path:
    """Write a video; `times` are in units of 1 / fps, `sounds` is mono, or (2, samples).

    The sound starts `late` seconds after the beginning of the file.
    """
    with av.open(str(path), "w") as container:
        if frames:
            video = container.add_stream("libx264", rate=fps, options={"crf": "10", "bf": "0"})
            video.width, video.height, video.pix_fmt = 8 * STRIPE, 64, "yuv420p"
        if sounds is not None:
            layout = "stereo" if sounds.ndim == 2 else "mono"
            audio = container.add_stream(codec, rate=rate, layout=layout)
        if frames:
            for number in range(frames):
                frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
                if times is not None:
                    frame.pts, frame.time_base = int(times[number]), 1 / Fraction(fps)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if sounds is not None:
            if sounds.shape[-1]:
                packed = np.ascontiguousarray(np.atleast_2d(sounds), np.float32)
                frame = av.AudioFrame.from_ndarray(packed, format="fltp", layout=layout)
                frame.rate = rate
                frame.pts, frame.time_base = round(late * rate), Fraction(1, rate)
                if codec != "aac":
                    frame = av.AudioResampler(
                        format=audio.format, layout=layout, rate=rate
                    ).resample(frame)[0]
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def media(path: Path, **known) -> ClipMedia:
    return ClipMedia(Clip(name="clip", video=path, **known), Judges(path.parent / "judges"))


def tone(count: int, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(count) / rate)).astype(np.float32)


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "clip.mp4", frames=25, sounds=tone(RATE))


class TestFrames:
    def test_the_file_s_own(self, clip):
        seen = media(clip)
        assert seen.fps == 25
        assert [number_of(pixels) for pixels in seen.frames()] == list(range(25))
        assert [number_of(pixels) for pixels in seen.frames(25)] == list(range(25))
        assert seen.num_frames == 25
        assert seen.notes == []

    @pytest.mark.parametrize(
        ("source", "target", "count"),
        [
            (30, 25, 60),
            (24, 25, 48),
            (50, 25, 50),
            (Fraction(30_000, 1001), 25, 60),
            (25, 30, 25),
            (10, 25, 20),
        ],
    )
    def test_resampling_shows_the_picture_of_the_middle_of_each_frame(
        self, tmp_path, source, target, count
    ):
        path = write(tmp_path / "clip.mp4", frames=count, fps=source)
        seen = media(path)
        shown = [number_of(pixels) for pixels in seen.frames(fps=target)]
        middles = [Fraction(2 * index + 1, 2 * target) for index in range(1000)]
        expected = [
            int(time * Fraction(source)) for time in middles if time < count / Fraction(source)
        ]
        assert shown == expected
        assert abs(len(shown) / target - count / float(source)) <= 0.5 / target + 1e-9
        assert seen.notes == [f"{float(source):g} fps resampled to {target} by nearest frame"]

    def test_30_to_25_leaves_out_every_sixth_picture(self, tmp_path):
        path = write(tmp_path / "clip.mp4", frames=12, fps=30)
        assert [number_of(pixels) for pixels in media(path).frames(25)] == [
            0,
            1,
            3,
            4,
            5,
            6,
            7,
            9,
            10,
            11,
        ]

    def test_24_to_25_shows_one_picture_twice_a_second(self, tmp_path):
        path = write(tmp_path / "clip.mp4", frames=48, fps=24)
        shown = [number_of(pixels) for pixels in media(path).frames(25)]
        assert len(shown) == 50
        assert sorted(set(shown)) == list(range(48))
        assert [number for number in range(48) if shown.count(number) == 2] == [12, 36]

    @pytest.mark.parametrize("fps", [None, 25])
    def test_uneven_pictures_keep_their_time(self, tmp_path, fps):
        times = np.cumsum([0, *[1, 1, 1, 5] * 6])[:-1]
        path = write(tmp_path / "clip.mp4", frames=len(times), fps=50, times=times)
        seen = media(path)
        rate = Fraction(fps or seen.fps)
        shown = [number_of(pixels) for pixels in seen.frames(fps)]
        for index, number in enumerate(shown[:-1]):
            middle = (index + Fraction(1, 2)) / rate * 50
            assert times[number] <= middle < times[number + 1]
        assert abs(len(shown) / rate - Fraction(int(times[-1]), 50) - 1 / seen.fps) <= 1 / rate
        assert len(seen.notes) == 1
        assert "variable frame rate resampled" in seen.notes[0]

    @pytest.mark.parametrize(
        ("every", "shown"),
        [(0.0, [0, 1, 3, 4, 5, 6]), (0.04, [0, 1, 3, 4, 5, 6]), (0.12, [0, 3, 6])],
    )
    def test_faces_come_with_their_landmarks_every_so_often(self, tmp_path, every, shown):
        seen = media(write(tmp_path / "clip.mp4", frames=7))
        landmarks = np.arange(7, dtype=np.float32)[:, None, None].repeat(478, 1).repeat(3, 2)
        landmarks[2] = np.nan
        tell(seen, landmarks=landmarks)
        found = [(number_of(pixels), int(points[0, 0])) for pixels, points in seen.faces(every)]
        assert found == [(number, number) for number in shown]

    def test_steps_between_frames(self, tmp_path):
        seen = media(tmp_path / "clip.mp4")
        for fps, step in ((25, 5), (30, 6), (Fraction(24_000, 1001), 5), (2, 1)):
            assert tell(seen, fps=Fraction(fps)).step(0.2) == step

    def test_notes_are_kept_once(self, tmp_path):
        seen = media(write(tmp_path / "clip.mp4", frames=6, fps=30))
        for _ in range(2):
            list(seen.frames(25))
        assert len(seen.notes) == 1


class TestSound:
    def test_as_it_is(self, clip):
        seen = media(clip)
        waveform = seen.waveform(RATE)
        assert waveform.dtype == np.float32
        assert abs(len(waveform) - RATE) < 2200
        assert seen.notes == []
        assert seen.waveform(RATE) is waveform

    def test_another_rate_is_noted(self, tmp_path):
        path = write(tmp_path / "clip.mp4", frames=5, sounds=tone(24_000, 24_000), rate=24_000)
        seen = media(path)
        waveform = seen.waveform(RATE)
        assert seen.notes == ["24000 Hz resampled to 16000"]
        middle = waveform[4000:12_000]
        assert np.abs(
            np.fft.rfft(middle * np.hanning(8000))
        ).argmax() * RATE / 8000 == pytest.approx(440, abs=2)

    def test_stereo_becomes_mono(self, tmp_path):
        both = np.stack([tone(RATE), np.zeros(RATE, np.float32)])
        waveform, rate = read_sound(write(tmp_path / "s.wav", sounds=both, codec="pcm_s16le"))
        assert (rate, waveform.ndim, len(waveform)) == (RATE, 1, RATE)
        assert np.corrcoef(waveform, both[0])[0, 1] > 0.999

    def test_a_sound_that_starts_late_begins_with_silence(self, tmp_path):
        path = write(tmp_path / "s.mkv", frames=30, sounds=tone(RATE), codec="pcm_s16le", late=0.2)
        waveform, _ = read_sound(path)
        assert len(waveform) == pytest.approx(1.2 * RATE, abs=2)
        assert np.flatnonzero(waveform)[0] == pytest.approx(0.2 * RATE, abs=RATE / 500)

    def test_a_sound_that_starts_before_the_pictures_loses_its_beginning(self, tmp_path):
        late = list(range(5, 35))
        path = write(
            tmp_path / "s.mkv", frames=30, times=late, sounds=tone(RATE), codec="pcm_s16le"
        )
        assert len(read_sound(path)[0]) == pytest.approx(0.8 * RATE, abs=RATE / 500)

    @pytest.mark.parametrize(
        ("sounds", "message"),
        [
            (None, "has no sound track"),
            (np.zeros(RATE, np.float32), "is silence"),
        ],
    )
    def test_nothing_to_hear(self, tmp_path, sounds, message):
        path = write(tmp_path / "clip.mp4", frames=5, sounds=sounds)
        with pytest.raises(InputError, match=message):
            media(path).waveform()

    def test_an_empty_track(self, tmp_path):
        path = tmp_path / "clip.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
        with pytest.raises(InputError, match="is empty"):
            media(path).waveform()

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_numbers_that_are_none(self, tmp_path, bad):
        sounds = tone(RATE)
        sounds[100] = bad
        path = write(tmp_path / "clip.wav", sounds=sounds, codec="pcm_f32le")
        with pytest.raises(InputError, match="not numbers"):
            media(path).waveform()


class TestOnce:
    def test_it_is_made_once_and_every_metric_gets_the_notes(self, clip):
        seen, made = media(clip), []

        def make():
            seen.note("as a makeshift")
            made.append(1)
            return len(made)

        for _ in range(2):
            seen.notes = []
            assert seen.once("number", make) == 1
            assert seen.notes == ["as a makeshift"]

    def test_what_cannot_be_made_is_tried_once(self, clip):
        seen, tried = media(clip), []

        def make():
            tried.append(1)
            raise InputError("there is none")

        for _ in range(2):
            with pytest.raises(InputError, match="there is none"):
                seen.once("number", make)
        assert len(tried) == 1

    def test_each_metric_keeps_the_notes_of_what_it_shares(self, tmp_path):
        path = write(tmp_path / "clip.mp4", frames=5, sounds=tone(24_000, 24_000), rate=24_000)
        seen = media(path)

        class Hearing(Psnr):
            def observe(self, media):
                return {"samples": np.array(len(media.waveform()))}

        for _ in range(2):
            assert look(seen, Hearing()).notes == ("24000 Hz resampled to 16000",)
        assert seen.notes == ["24000 Hz resampled to 16000"]


class TestNotAVideo:
    @pytest.mark.parametrize("content", [b"", b"not a video", b"\0" * 5000])
    def test_other_files(self, tmp_path, content):
        path = tmp_path / "clip.mp4"
        path.write_bytes(content)
        for read in (
            lambda: list(read_frames(path)),
            lambda: read_sound(path),
            lambda: media(path).fps,
        ):
            with pytest.raises(FacevoxError, match=r"clip\.mp4"):
                read()

    def test_an_absent_file_and_a_folder(self, tmp_path):
        for path in (tmp_path / "absent.mp4", tmp_path):
            with pytest.raises(InputError, match="cannot be read as a video"):
                media(path).waveform()

    def test_sound_alone_has_no_pictures(self, tmp_path):
        path = write(tmp_path / "clip.wav", sounds=tone(RATE), codec="pcm_s16le")
        for read in (
            lambda: list(media(path).frames()),
            lambda: media(path).fps,
            lambda: media(path).num_frames,
        ):
            with pytest.raises(InputError, match=r"clip\.wav"):
                read()

    def test_a_file_cut_in_half(self, clip):
        whole = clip.read_bytes()
        clip.write_bytes(whole[: len(whole) // 2])
        with pytest.raises((InputError, MediaError), match=r"clip\.mp4"):
            list(media(clip).frames())


class TestWhatIsKnown:
    def test_a_clip_without_a_face(self, clip):
        class Blind:
            def track(self, frames):
                return np.full((len(list(frames)), 478, 3), np.nan, np.float32)

        seen = media(clip)
        seen.judges.put(seen.tracker, Blind())
        with pytest.raises(InputError, match="shows no face"):
            _ = seen.landmarks

    def test_landmarks_come_from_the_named_tracker(self, clip):
        class Tracker:
            def track(self, frames):
                return np.zeros((len(list(frames)), 478, 3), np.float32)

        seen = ClipMedia(
            Clip(name="clip", video=clip), Judges(clip.parent), tracker="face-landmarker"
        )
        seen.judges.put("face-landmarker", Tracker())
        assert seen.landmarks.shape == (25, 478, 3)

    def test_a_tracker_that_is_not_here(self, clip):
        seen = ClipMedia(
            Clip(name="clip", video=clip), Judges(clip.parent), tracker="face-landmarker"
        )
        with pytest.raises(MissingPiece, match="face-landmarker"):
            _ = seen.landmarks

    @pytest.mark.parametrize(
        ("attribute", "message"),
        [
            ("portrait", "no portrait is given"),
            ("words", "text is not known"),
            ("phones", "text is not known"),
            ("reference", "no recording"),
        ],
    )
    def test_what_is_not_known_is_a_sentence(self, clip, attribute, message):
        with pytest.raises(InputError, match=message):
            getattr(media(clip), attribute)

    def test_phones_of_the_maker_are_taken(self, clip):
        phones = (Phone(name="ah", start=0.0, end=0.5),)
        assert media(clip, phones=phones).phones == phones

    def test_words_are_normalised(self, clip):
        assert [word.text for word in media(clip, text="Two cats.").words] == ["two", "cats"]

    def test_the_reference_shares_judges_and_tracker(self, clip):
        seen = media(clip, reference=clip, text="Two cats.")
        assert seen.reference.judges is seen.judges
        assert seen.reference.tracker == seen.tracker
        assert seen.reference.clip.system == "real"
        assert seen.reference.num_frames == 25


def test_media_and_metrics_import_without_torch():
    import subprocess
    import sys

    code = (
        "import sys, facevox.evaluation.media, facevox.evaluation.metric\n"
        "import facevox.evaluation.judges.store\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("turn", "matrix"),
    [
        (-1, (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)),
        (1, (0, -1 << 16, 0, 1 << 16, 0, 0, 0, 0, 1 << 30)),
        (2, (-1 << 16, 0, 0, 0, -1 << 16, 0, 0, 0, 1 << 30)),
    ],
)
def test_pictures_are_turned_as_the_file_says(tmp_path, turn, matrix):
    path = write(tmp_path / "a.mp4", frames=3)
    plain = next(read_frames(path))
    content = bytearray(path.read_bytes())
    place = content.find(b"tkhd") + 44  # version and flags, times, layer, volume come before
    content[place : place + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(content)
    np.testing.assert_array_equal(next(read_frames(path)), np.rot90(plain, turn))
