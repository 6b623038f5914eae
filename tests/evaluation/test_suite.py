"""Suites are frozen: the same items everywhere, and what is missing is named."""

import json

import pytest

from facevox.core.errors import ConfigError, DataError, InputError
from facevox.evaluation.suite import list_suites, load_suite, suite_of_photos
from facevox.evaluation.suites.item import spread


@pytest.mark.parametrize("name", list_suites())
def test_every_suite_reads(name):
    suite = load_suite(name)
    assert suite.name == name
    assert suite.summary.endswith(".")
    assert len(suite.digest) == 64


def test_the_standard_suite_gives_every_person_eight_texts_and_seeds(shared, tmp_path):
    items = load_suite("standard").items(shared / "data", tmp_path)
    assert len(items) == 128
    assert len({item.name for item in items}) == 128
    assert sorted(item.seed for item in items) == list(range(128))
    for person in {item.identity for item in items}:
        own = [item for item in items if item.identity == person]
        assert len(own) == 8
        assert len({item.text for item in own}) == 8
    assert {item.sex for item in items} == {"female", "male"}


def test_the_smoke_suite_needs_no_data(tmp_path):
    items = load_suite("smoke").items(None, tmp_path)
    assert {item.portrait for item in items} == {tmp_path / "astronaut.png"}


def test_recordings_give_their_first_face_their_text_and_themselves(shared, tmp_path):
    (item,) = load_suite("grid").items(shared / "data", tmp_path, limit=1)
    assert item.portrait.is_file()
    assert item.reference.stem == item.name
    assert len(item.text.split()) == 6


def test_missing_data_is_named(tmp_path):
    with pytest.raises(DataError, match="needs --data: a folder with faces/london"):
        load_suite("standard").items(None, tmp_path)
    with pytest.raises(DataError, match=r"misses 28 of 28 photos in .*, the first is .*\.jpg"):
        load_suite("standard").items(tmp_path, tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        load_suite("standard").items(tmp_path / "nowhere", tmp_path)
    for name in ("grid", "lrs2", "hdtf", "voxceleb2"):
        with pytest.raises(DataError):
            load_suite(name).items(tmp_path, tmp_path)


def test_unknown_and_malformed_suites(tmp_path):
    with pytest.raises(InputError, match="There is no suite 'standrad'; there are: grid"):
        load_suite("standrad")
    path = tmp_path / "mine.json"
    path.write_text("{}")
    with pytest.raises(ConfigError, match="is not a suite"):
        load_suite(path)
    path.write_text(
        json.dumps({"name": "mine", "summary": "", "kind": "portraits", "data": "", "people": 3})
    )
    with pytest.raises(ConfigError, match="not well formed"):
        load_suite(path).items(None, tmp_path)


def test_photos_of_ones_own(tmp_path, astronaut_file):
    suite = suite_of_photos([astronaut_file], ["One.", "", "Two."], per_photo=3)
    items = suite.items(None, tmp_path)
    assert [item.text for item in items] == ["One.", "Two.", "One."]
    assert {item.identity for item in items} == {"astronaut"}
    with pytest.raises(InputError, match="at least one photo"):
        suite_of_photos([astronaut_file], [" "], per_photo=1)
    with pytest.raises(InputError, match="Two photos are called"):
        suite_of_photos([astronaut_file, astronaut_file], ["One."], per_photo=1)
    with pytest.raises(InputError, match="no photo"):
        suite_of_photos([tmp_path / "absent.png"], ["One."], per_photo=1)


def test_a_limit_spreads_over_the_list():
    assert spread(list(range(10)), 3) == (1, 5, 8)
    assert spread(list(range(3)), None) == (0, 1, 2)
    assert spread(list(range(3)), 9) == (0, 1, 2)
    with pytest.raises(InputError):
        spread(list(range(3)), 0)


PERSON = {"identity": "a", "photos": {"p": "skimage:astronaut"}, "texts": {"p": [0]}}


@pytest.mark.parametrize(
    ("people", "error", "words"),
    [
        ([], ConfigError, "asks for no video"),
        ([PERSON, PERSON], ConfigError, "two videos called 'a-p-0'"),
        ([PERSON | {"identity": "../a"}], InputError, "cannot be called after a clip"),
        ([PERSON | {"identity": "a/b"}], InputError, "cannot be called after a clip"),
        ([PERSON | {"identity": 7}], ConfigError, "identity must be text, got 7"),
        ([PERSON | {"size": "big"}], ConfigError, "size must be a number, got 'big'"),
        ([PERSON | {"photos": {"p": "skimage:nobody"}}], DataError, "no photo 'nobody'"),
    ],
)
def test_impossible_people_are_refused(tmp_path, people, error, words):
    path = tmp_path / "mine.json"
    content = {"name": "m", "summary": "s", "kind": "portraits", "data": "", "size": None}
    path.write_text(json.dumps(content | {"people": people, "texts": ["Hi."]}))
    with pytest.raises(error, match=words):
        load_suite(path).items(None, tmp_path / "work")


@pytest.mark.parametrize("content", ["[1]", "{", '{"name": 5}'])
def test_what_is_no_suite_is_refused_in_words(tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="is not a suite: "):
        load_suite(path)
