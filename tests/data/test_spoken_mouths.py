import json

import numpy as np
import pytest
from made_spoken import made_utterance, write_spoken
from safetensors.numpy import load_file, save_file

from facevox.core.errors import DataError
from facevox.data.spoken_mouths import (
    FILMED,
    PLAN,
    read_plan,
    read_spoken_mouths,
    read_utterance,
    utterance_path,
    write_plan,
    write_utterance,
)


@pytest.fixture
def folder(tmp_path):
    return write_spoken(tmp_path / "spoken")


@pytest.mark.parametrize("kind", ["matcha", FILMED])
def test_what_was_written_is_read(tmp_path, kind):
    (tmp_path / "utterances").mkdir()
    wanted = made_utterance("one", kind)
    write_utterance(tmp_path, wanted)
    found = read_utterance(tmp_path, "one", kind)
    for name in ("features", "mouth", "known", "others"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert (found.others is None) == (kind != FILMED)


def test_held_out_and_learnt_share_nothing(folder):
    learnt, held = (read_spoken_mouths(folder, held=held) for held in (False, True))
    assert {one.name for one in held} == {"matcha-3", "flite-3", f"{FILMED}-3"}
    assert len(learnt) == 9
    assert not {one.name for one in held} & {one.name for one in learnt}


def test_what_was_left_out_is_not_missed(folder):
    utterance_path(folder, "matcha-0").unlink()
    assert len(read_spoken_mouths(folder, held=False)) == 8


def test_a_folder_goes_on_with_its_own_plan_only(folder):
    plan = read_plan(folder)
    write_plan(folder, plan)
    with pytest.raises(DataError, match="begun with other data or options"):
        write_plan(folder, {"utterances": plan["utterances"][1:]})


@pytest.mark.parametrize("text", ["", "[1]", '{"utterances": [{"name": "a", "kind": "b"}]}'])
def test_a_plan_that_makes_no_sense_is_refused(folder, text):
    (folder / PLAN).write_text(text)
    with pytest.raises(DataError, match=r"plan\.json cannot be read"):
        read_spoken_mouths(folder, held=False)


def test_folders_without_utterances_say_how_to_make_them(tmp_path, folder):
    with pytest.raises(DataError, match=r"facevox\.recipes\.spoken_mouths"):
        read_spoken_mouths(tmp_path, held=False)
    rows = [row | {"held": False} for row in read_plan(folder)["utterances"]]
    (folder / PLAN).write_text(json.dumps({"utterances": rows}))
    with pytest.raises(DataError, match="no utterance held out"):
        read_spoken_mouths(folder, held=True)


def test_damaged_utterances_are_refused(folder):
    path = utterance_path(folder, "matcha-0")
    arrays = load_file(path)
    save_file({**arrays, "mouth": arrays["mouth"][:, :8].copy()}, path)
    with pytest.raises(DataError, match=r"'mouth': \[20, 8\].*no utterance"):
        read_spoken_mouths(folder, held=False)
    save_file({"features": arrays["features"]}, path)
    with pytest.raises(DataError, match="no utterance"):
        read_spoken_mouths(folder, held=False)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_spoken_mouths(folder, held=False)


def test_features_of_two_models_do_not_mix(folder):
    path = utterance_path(folder, "matcha-0")
    arrays = load_file(path)
    save_file({**arrays, "features": arrays["features"][:, :7].copy()}, path)
    with pytest.raises(DataError, match=r"\[7, 11\] channels"):
        read_spoken_mouths(folder, held=False)
