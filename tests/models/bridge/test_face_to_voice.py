import subprocess
import sys
import time

import pytest

from facevox.core.errors import InputError


def test_the_same_face_gives_the_same_voice(bridge, portrait):
    assert bridge.distribution(portrait).draw(5) == bridge.distribution(portrait).draw(5)


def test_what_the_user_knows_replaces_the_guess(bridge, portrait):
    told = bridge.distribution(portrait, female=0.0, age=70.0)
    assert told.perceived.female == 0.0
    assert told.perceived.age == 70.0
    assert told.mean().f0_mean < 160
    assert bridge.distribution(portrait).perceived == bridge.perceive(portrait)


@pytest.mark.parametrize(
    "wrong",
    [{"female": 1.2}, {"female": float("nan")}, {"age": 2.0}, {"age": float("nan")}],
)
def test_impossible_values_are_refused(bridge, portrait, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        bridge.distribution(portrait, **wrong)


def test_it_is_quick(bridge, portrait):
    bridge.distribution(portrait)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        bridge.distribution(portrait)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05


def test_torch_is_not_needed():
    code = "import sys; from facevox.models.bridge.face_to_voice import FaceToVoice as F; F.load();"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_smile_does_not_change_the_voice(bridge, shared):
    from facevox.core.portrait.reader import read_portrait

    for name in ("002", "004", "024"):
        folder = shared / "data" / "faces" / "london"
        neutral, smiling = (
            bridge.distribution(read_portrait(folder / kind / f"{name}.jpg"))
            for kind in ("neutral", "smiling")
        )
        assert abs(neutral.perceived.female - smiling.perceived.female) < 0.1
        assert neutral.mean().f0_mean == pytest.approx(smiling.mean().f0_mean, rel=0.06)
