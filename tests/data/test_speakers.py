import numpy as np
import pytest
import soundfile

from facevox.core.errors import DataError
from facevox.data.speakers import MOST, by_hash, read_speakers


def write(folder, names):
    folder.mkdir(parents=True)
    for name in names:
        soundfile.write(folder / f"{name}.ogg", np.sin(np.arange(8000) / 20), 16_000)


def test_speakers_are_told_by_their_folders_and_names(tmp_path):
    write(tmp_path / "speech" / "librispeech_other", ["12-3-0001", "12-3-0002", "45-6-0001"])
    write(tmp_path / "speech" / "vctk" / "p225", ["p225_001"])
    found = read_speakers(tmp_path, ("librispeech_other", "vctk"))
    assert {one.speaker for one in found} == {"ls12", "ls45", "p225"}
    assert [one.corpus for one in found].count("vctk") == 1
    assert found[0].waveform.dtype == np.float32


def test_unseen_utterances_stay_out(tmp_path):
    names = [f"LJ001-{index:04d}" for index in range(MOST + 12)]
    write(tmp_path / "speech" / "reader", names)
    found = [one.name for one in read_speakers(tmp_path, ("reader",))]
    assert len(found) == MOST
    assert not set(found) & set(by_hash(names)[:8])


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="no sound"):
        read_speakers(tmp_path, ("ljspeech",))
