"""The cards of all judges: complete, consistent, and in step with the page about them."""

import re
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from facevox.evaluation.judges.registry import JUDGES
from facevox.evaluation.judges.store import Judges

ROOT = Path(__file__).parents[3]
CARDS = list(JUDGES.values())
HEX = re.compile(r"[0-9a-f]{64}")
NEEDED = {
    "package": set(),
    "wheel": {"file", "sha256", "carrier", "member"},
    "url": {"file", "url"},
    "user": {"file"},
}
ALLOWED = {
    "package": {"member", "needs", "install"},
    "wheel": NEEDED["wheel"] | {"needs", "install"},
    "url": {"file", "url", "sha256", "needs", "install"},
    "user": {"file", "sha256", "needs", "install", "url", "beside"},
}
COMMON = {"name", "purpose", "source", "licence", "loader", "origin", "note"}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
class TestCard:
    def test_it_says_what_its_origin_needs_and_no_more(self, card):
        filled = {key for key, value in asdict(card).items() if value} - COMMON
        assert NEEDED[card.origin] <= filled
        assert filled <= ALLOWED[card.origin]
        assert bool(card.needs) == bool(card.install)
        assert card.needs.isidentifier() or not card.needs
        assert card.purpose
        assert card.source
        assert card.licence

    def test_its_name_and_file_are_plain(self, card):
        assert re.fullmatch(r"[a-z0-9]+([-.][a-z0-9]+)*", card.name)
        folder = f"{card.name}/" if card.beside else ""
        assert card.file == folder + Path(card.file).name
        assert not card.purpose.endswith(".")

    def test_its_hash_is_a_hash(self, card):
        assert card.sha256 == "" or HEX.fullmatch(card.sha256)
        assert len(set(card.sha256)) > 8 or not card.sha256
        prefix = re.search(r"-([0-9a-f]{8,10})\.pth$", card.file)
        if prefix and card.sha256:
            assert card.sha256.startswith(prefix[1])
        stated = HEX.search(card.url)
        if stated:
            assert card.sha256 == stated[0]

    def test_it_is_fetched_by_a_pinned_version_or_safely(self, card):
        if card.carrier:
            assert re.fullmatch(r"[\w.-]+==[\w.]+", card.carrier)
        if card.url:
            assert card.url.startswith("https://") or card.sha256

    def test_its_loader_exists(self, card):
        module, _, function = card.loader.partition(":")
        assert module.startswith("facevox.evaluation.judges.")
        if not find_spec(module):
            pytest.skip(f"{module} is not written yet")
        assert callable(getattr(import_module(module), function))

    def test_the_page_tells_the_same(self, card):
        text = (ROOT / "docs/judges.md").read_text()
        rows = [
            line.split("|") for line in text.splitlines() if line.startswith(f"| `{card.name}`")
        ]
        assert len(rows) == 1, f"docs/judges.md has {len(rows)} rows for {card.name}"
        cells = [cell.strip() for cell in rows[0]]
        assert card.licence in cells
        hashes = re.findall(r"`([0-9a-f]{12})`", rows[0][-2] + rows[0][-3])
        assert hashes == ([card.sha256[:12]] if card.sha256 else [])


def test_names_and_files_are_unique():
    files = [card.file for card in CARDS if card.file]
    assert len(set(files)) == len(files)
    assert all(name == card.name for name, card in JUDGES.items())


def test_the_page_names_no_judge_that_is_not_there():
    text = (ROOT / "docs/judges.md").read_text()
    named = re.findall(r"^\| `([\w.-]+)`", text, re.M)
    assert set(named) == set(JUDGES)
    assert len(named) == len(JUDGES)


def test_an_empty_folder_has_a_sentence_for_every_judge(tmp_path):
    store = Judges(tmp_path / "none")
    for card in CARDS:
        problem = store.problem(card.name)
        assert not problem or problem.startswith(f"judge {card.name} missing, get it with ")
    assert not store.folder.exists()
