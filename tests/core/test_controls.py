import pytest

from facevox.core.controls import Controls
from facevox.core.errors import ConfigError


def test_defaults_are_natural():
    controls = Controls()
    assert controls.head == controls.mouth == controls.blink == 1.0
    assert controls.expression == 0.0


@pytest.mark.parametrize(
    ("name", "value"),
    [("head", -0.1), ("head", 3.1), ("blink", float("nan")), ("expression", -1.5), ("mouth", 9.0)],
)
def test_out_of_range_is_one_sentence(name, value):
    with pytest.raises(ConfigError, match=f"{name} must be between"):
        Controls(**{name: value})


def test_still_moves_only_the_mouth():
    assert Controls.still() == Controls(head=0.0, blink=0.0, gaze=0.0, brows=0.0, breath=0.0)
