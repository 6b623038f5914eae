import io

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.report.stills import COLUMNS, MOST_VIDEOS, rows_of_stills, strip_of


@pytest.fixture
def video(illustrations):
    return illustrations.videos["lite"][0][1]


def test_a_strip_is_evenly_spaced_frames_side_by_side(video):
    strip = strip_of(video)
    assert strip.shape == (96, COLUMNS * 72, 3)
    cells = np.split(strip.astype(int), COLUMNS, axis=1)
    assert np.abs(cells[0] - cells[1]).max() > 30


def test_pictures_shrink_until_they_fit(video):
    from PIL import Image

    rows = rows_of_stills({"lite": [("t", video)]})
    (large,) = rows["lite"]
    assert Image.open(io.BytesIO(large.jpeg)).size == large.size == (COLUMNS * 72, 96)
    (small,) = rows_of_stills({"lite": [("t", video)]}, most_bytes=len(large.jpeg) - 1)["lite"]
    assert len(small.jpeg) < len(large.jpeg)


def test_a_video_that_cannot_be_read_is_told_not_raised(video, tmp_path):
    rows = rows_of_stills({"a": [("good", video), ("bad", tmp_path / "no.mp4")], "b": []})
    assert [bool(still.jpeg) for still in rows["a"]] == [True, False]
    assert "cannot be read" in rows["a"][1].problem
    assert rows["b"] == []
    assert rows_of_stills({}) == {}
    with pytest.raises(InputError):
        strip_of(tmp_path / "no.mp4")


def test_only_a_few_videos_of_each_system_are_shown(video):
    rows = rows_of_stills({"a": [(str(k), video) for k in range(MOST_VIDEOS + 2)]})
    assert [still.title for still in rows["a"]] == [str(k) for k in range(MOST_VIDEOS)]
