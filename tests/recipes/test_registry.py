"""Every recipe that `facevox train` names can be made, whatever its preset."""

import pytest

from facevox.core.errors import InputError
from facevox.recipes.registry import RECIPES, load_task
from facevox.training.run import plan_run
from facevox.training.settings import resolve
from facevox.training.task import Task


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_fulfil_the_contract(name):
    kind = load_task(name)
    assert issubclass(kind, Task)
    assert kind.name == name
    for preset in (None, *kind.presets):
        config = resolve(kind.Config, presets=kind.presets, preset=preset)
        assert resolve(kind.Config, base=config.model_dump(mode="json")) == config
    assert RECIPES[name][1]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_has_a_tiny_preset(name):
    assert "tiny" in load_task(name).presets


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("matcha", "`facevox prepare`"),
        ("close-up", "close_up_pictures"),
        ("ttsf-warmup", "acted_portraits"),
        ("ttsf-lips", "spoken_mouths"),
        ("ttsf-motion", "spoken_mouths"),
    ],
)
def test_who_makes_the_data_is_said_when_there_is_none(name, maker, tmp_path):
    with pytest.raises(InputError, match=f"There is no data .*nowhere; .*{maker}"):
        plan_run(load_task(name), data=tmp_path / "nowhere", folder=tmp_path / "run")
