import pytest

from facevox.core.errors import DataError
from facevox.data.portraits import HELD_OUT, SETS, hold_out, list_portraits


def make_sets(folder, gender="male", age="31"):
    for name in ("london/neutral/001", "london/smiling/001", "canada/003f"):
        path = folder / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for kind in ("man", "woman"):
        (folder / "generated" / kind).mkdir(parents=True)
        (folder / "generated" / kind / f"{kind}.jpg").touch()
    (folder / "london" / "people.csv").write_text(
        f"id,age_years,gender,ethnicity\n001,{age},{gender},white\n"
    )
    (folder / "canada" / "people.csv").write_text("face_id,face_age,face_gender\n003f,19,female\n")
    return folder


def test_all_sets_are_listed_in_order(tmp_path):
    found = list_portraits(make_sets(tmp_path))
    assert [row.source for row in found] == ["london"] * 2 + ["canada"] + ["generated"] * 2
    assert [row.smiling for row in found] == [False, True, False, False, False]
    assert [row.female for row in found] == [False, False, True, False, True]
    assert found[0].person == found[1].person
    assert found[0].age == 31.0
    assert found[3].age is None


def test_an_unknown_age_is_none(tmp_path):
    assert list_portraits(make_sets(tmp_path, age="NA"))[0].age is None


@pytest.mark.parametrize("wrong", [{"gender": "m"}, {"age": "old"}])
def test_nonsense_is_reported(tmp_path, wrong):
    with pytest.raises(DataError, match=r"001\.jpg"):
        list_portraits(make_sets(tmp_path, **wrong))


def test_missing_pictures_and_entries_are_reported(tmp_path):
    with pytest.raises(DataError, match=r"people\.csv"):
        list_portraits(tmp_path)
    make_sets(tmp_path)
    (tmp_path / "london" / "neutral" / "999.jpg").touch()
    with pytest.raises(DataError, match="no entry"):
        list_portraits(tmp_path)


def test_the_real_sets(shared):
    found = list_portraits(shared / "data" / "faces")
    assert {row.source for row in found} == set(SETS)
    assert len(found) == 240
    assert len({row.person for row in found}) == 150


def test_people_of_the_standard_suite_are_held_out(shared, tmp_path):
    from facevox.evaluation.suite import load_suite

    suite = {item.portrait for item in load_suite("standard").items(shared / "data", tmp_path)}
    training, held_out = hold_out(list_portraits(shared / "data" / "faces"))
    assert {row.path for row in held_out} == suite
    assert {row.person for row in held_out} == HELD_OUT
    assert not {row.person for row in training} & HELD_OUT
    assert len(training) + len(held_out) == 240
