"""All loaders alike: a wrong file is a sentence, and nothing in it is ever executed."""

import pickle
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from facevox.core.errors import FacevoxError
from facevox.evaluation.judges.registry import JUDGES

CARDS = [card for card in JUDGES.values() if card.file]


def loader_of(card):
    if card.needs and find_spec(card.needs) is None:
        pytest.skip(f"{card.needs} is not installed")
    module, _, function = card.loader.partition(":")
    return getattr(import_module(module), function)


class Attack:
    """Makes a file when unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
@pytest.mark.parametrize("content", ["text", "code", "other weights"])
def test_a_wrong_file_is_refused_and_not_executed(card, content, tmp_path):
    load, mark = loader_of(card), tmp_path / "executed"
    path = tmp_path / card.file
    path.parent.mkdir(exist_ok=True)
    torch.save({"weight": torch.zeros(9)}, path)
    if content == "text":
        path.write_bytes(b"<html>not found</html>")
    elif content == "code":
        path.write_bytes(pickle.dumps(Attack(mark)))
    with pytest.raises(FacevoxError) as error:
        load(path)
    assert not mark.exists()
    text = str(error.value)
    assert text.endswith(".")
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_no_file_is_a_sentence(card, tmp_path):
    with pytest.raises(FacevoxError):
        loader_of(card)(tmp_path / card.file)
