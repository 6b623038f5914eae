from fractions import Fraction

import numpy as np
import pytest
from made_talking import counted, write_counter

from facevox.core.errors import MediaError
from facevox.data.talking.pictures import read_pictures


def numbers(video, first=0, last=10_000):
    return [counted(pixels) for pixels in read_pictures(video, first, last)]


def test_every_picture_of_25_fps_once(tmp_path):
    video = write_counter(tmp_path / "a.mp4", 60)
    assert numbers(video) == list(range(60))
    assert numbers(video, 7, 11) == [7, 8, 9, 10]


def test_a_part_far_from_the_start_is_the_same(tmp_path):
    video = write_counter(tmp_path / "a.mp4", 100)
    assert numbers(video, 61, 90) == list(range(61, 90))
    assert numbers(video, 98) == [98, 99]
    assert numbers(video, 200, 210) == []


@pytest.mark.parametrize("fps", [Fraction(30_000, 1001), 30, 24, 15, 50])
def test_other_rates_show_what_a_player_shows(tmp_path, fps):
    shown = numbers(write_counter(tmp_path / "a.mp4", 75, fps=fps))
    assert abs(len(shown) - 75) <= 1
    late = np.array(shown[:74]) - np.arange(74)
    assert np.abs(late).max() <= 1
    assert shown == sorted(shown)


def test_uneven_times_are_kept(tmp_path):
    times = np.array([0, 40, 80, 200, 240, 280])
    assert numbers(write_counter(tmp_path / "a.mp4", 6, times=times)) == [0, 1, 2, 2, 2, 3, 4, 5]


def test_what_is_no_video_is_told(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing" * 100)
    with pytest.raises(MediaError, match="cannot be read"):
        numbers(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match="cannot be read"):
        numbers(tmp_path / "none.mp4")
