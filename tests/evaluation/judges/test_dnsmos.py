"""DNSMOS against numbers that speechmos 0.0.1.1 itself gave for the same sounds."""

import numpy as np
import pytest

from facevox.core.errors import CheckpointError, InputError
from facevox.evaluation.judges.dnsmos import Dnsmos, load_dnsmos, segments
from facevox.evaluation.judges.store import Judges


def voiced(seconds, f0, noise):
    times = np.arange(int(seconds * 16_000)) / 16_000
    sound = sum(np.sin(2 * np.pi * f0 * k * times) / k for k in range(1, 20))
    sound *= 0.6 + 0.4 * np.sin(2 * np.pi * 3 * times)
    sound *= 0.5 / np.abs(sound).max()
    sound += noise * np.random.default_rng(7).standard_normal(len(times))
    return np.clip(sound, -1, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("sound", "signal", "background", "overall"),
    [
        ((3.0, 120.0, 0.01), 2.6447849198, 1.9896768181, 1.6813428818),
        ((11.5, 210.0, 0.05), 2.2698706311, 1.9041747143, 1.6104352616),
    ],
)
def test_it_equals_speechmos(sound, signal, background, overall):
    pytest.importorskip("onnxruntime")
    judges = Judges()
    if judges.problem("dnsmos"):
        pytest.skip("facevox judges get dnsmos was not run")
    rating = judges.load("dnsmos").rate(voiced(*sound))
    assert rating.signal == pytest.approx(signal, abs=1e-3)
    assert rating.background == pytest.approx(background, abs=1e-3)
    assert rating.overall == pytest.approx(overall, abs=1e-3)


@pytest.mark.parametrize(
    ("seconds", "count"), [(3.0, 3), (5.0, 1), (9.01, 1), (10.5, 1), (11.5, 2), (15.0, 6)]
)
def test_segments_are_those_of_the_published_script(seconds, count):
    # 3 s doubles twice to 12 s; floor(12) - 9.01 = 2.99, so that three segments begin in it.
    pieces = list(segments(np.ones(int(seconds * 16_000), np.float32)))
    assert {len(piece) for piece in pieces} == {144_160}
    assert len(pieces) == count


class Recorder:
    """Gives the mean of what it hears, three times."""

    def run(self, names, inputs):
        return [np.full((1, 3), inputs["input_1"].mean(), np.float32)]


def test_outputs_are_fitted_and_averaged():
    rating = Dnsmos(Recorder()).rate(np.full(200_000, 0.5, np.float32))
    assert rating.signal == pytest.approx(-0.08397278 / 4 + 1.22083953 / 2 + 0.0052439, abs=1e-6)
    assert rating.background == pytest.approx(
        -0.13166888 / 4 + 1.60915514 / 2 - 0.39604546, abs=1e-6
    )
    assert rating.overall == pytest.approx(-0.06766283 / 4 + 1.11546468 / 2 + 0.04602535, abs=1e-6)


def test_no_sound_is_refused():
    with pytest.raises(InputError, match="no sound"):
        Dnsmos(Recorder()).rate(np.zeros(0, np.float32))


def test_a_file_that_is_not_onnx_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_dnsmos(tmp_path / "x.onnx")
