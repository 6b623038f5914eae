import numpy as np

from facevox.core.portrait.reader import read_portrait
from facevox.evaluation.contact_sheet import (
    POSES,
    SOUNDS,
    in_lines,
    labelled,
    pose_motions,
    sound_motions,
    stills,
    strip_over_time,
)


def test_one_still_for_each_motion(lite, astronaut):
    motions = {**sound_motions(lite), **pose_motions()}
    assert set(motions) == {*SOUNDS, *POSES}
    cells = stills(read_portrait(astronaut), motions, 64)
    assert len(cells) == len(motions) + 2
    assert all(cell.shape == (64, 64, 3) for cell in cells)
    rest = cells[1].astype(int)
    for name, cell in zip(motions, cells[2:], strict=True):
        if name != "m":
            assert np.abs(cell - rest).max() > 5, f"{name} looks like the face at rest"


def test_a_strip_has_its_columns(lite, astronaut):
    cells = strip_over_time(lite, read_portrait(astronaut), "Hello.", columns=4, cell=48)
    assert len(cells) == 4


def test_cells_are_laid_out_in_lines():
    cells = [np.full((10, 10, 3), value, np.uint8) for value in (1, 2, 3)]
    sheet = in_lines(cells, 2)
    assert sheet.shape == (20, 20, 3)
    assert (sheet[10:, 10:] == 255).all()
    assert labelled(np.zeros((40, 40, 3), np.uint8), "aa").any()
