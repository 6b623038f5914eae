"""Settings: presets, overrides, and errors that name the field."""

import pytest
from tiny_recipe import TinySettings, TinyTask

from facevox.core.errors import ConfigError
from facevox.training.settings import RunSettings, differences, parse_override, resolve


def make(*overrides, **options):
    return resolve(TinySettings, presets=TinyTask.presets, overrides=overrides, **options)


def test_overrides_reach_nested_fields():
    config = make("model.width=32", "run.minutes=1.5", "run.checkpoint_minutes=null")
    assert config.model.width == 32
    assert config.run.minutes == 1.5
    assert config.run.checkpoint_minutes is None
    assert config.run.log_steps == 1  # the recipe's own default, not that of the class
    assert config.model.dropout == 0.1


def test_order_is_defaults_saved_preset_overrides():
    saved = make("model.width=3", "model.dropout=0.5").model_dump(mode="json")
    config = make("optim.learning_rate=1", base=saved, preset="wide")
    assert (config.model.width, config.model.dropout) == (16, 0.5)
    assert make("model.width=4", preset="wide").model.width == 4


def test_saved_settings_come_back():
    config = make("model.width=5")
    assert make(base=config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.widht=3", r"no setting 'model.widht' \(did you mean 'model.width'\?\); there are"),
        ("modle.width=3", r"no setting 'modle' \(did you mean 'model'\?\)"),
        ("model.width=wide", r"'model.width' should be a valid integer.*got \"wide\""),
        ("run.steps=0", r"'run.steps' should be greater than or equal to 1, got 0"),
        ("run.precision=fp8", r"'run.precision' should be 'auto', '32-true' or 'bf16-mixed'"),
        ("model=3", r"'model' should be a valid dictionary.*got 3"),
        ("model.width", "FIELD.FIELD=VALUE, got 'model.width'"),
        ("=3", "FIELD.FIELD=VALUE"),
    ],
)
def test_errors_name_the_field(override, message):
    with pytest.raises(ConfigError, match=message):
        make(override)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match=r"no preset 'wde' \(did you mean 'wide'\?\)"):
        make(preset="wde")


def test_values_are_json_or_words():
    assert parse_override("a.b=[1, 2]") == (["a", "b"], [1, 2])
    assert parse_override("a=b=c") == (["a"], "b=c")
    assert parse_override("a=true") == (["a"], True)


def test_plain_mappings_are_replaced_and_their_entries_set():
    assert make("data.shares={}").data.shares == {}
    assert make("data.shares.b=3").data.shares == {"a": 1.0, "b": 3.0}
    saved = make("data.shares={}").model_dump(mode="json")
    assert make(base=saved).data.shares == {}
    assert make('model={"width": 3}', preset="wide").model.dropout == 0.1


def test_differences_are_named():
    old, new = make(), make("model.width=9", "run.steps=7")
    found = differences(old.model_dump(mode="json"), new.model_dump(mode="json"))
    assert found == {"model.width": "8 -> 9", "run.steps": "6 -> 7"}


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        RunSettings().steps = 3
