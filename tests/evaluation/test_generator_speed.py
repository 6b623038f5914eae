import pytest

from facevox.app.commands.bench import bench
from facevox.core.errors import InputError
from facevox.evaluation.generator_speed import GeneratorSpeed, measure_generator
from facevox.models.face.lia.config import tiny


def test_both_ways_are_measured_and_agree():
    speed = measure_generator(tiny(), rounds=1)
    assert speed.plain_ms > speed.undriven_ms > 0
    assert speed.fast_ms > 0
    assert speed.error < 0.1


def test_time_is_told_by_the_clock():
    ticks = iter(range(1000))
    speed = measure_generator(tiny(), rounds=2, clock=lambda: float(next(ticks)))
    # one tick for two encodings, one for the rest; one for all fast frames
    assert speed.plain_ms == pytest.approx(2000.0)
    assert speed.undriven_ms == pytest.approx(1500.0)
    assert speed.fast_ms == pytest.approx(1000 / 32)
    assert speed.times_faster == pytest.approx(64.0)


def test_ratios_are_told():
    speed = GeneratorSpeed(
        threads=2, plain_ms=80.0, undriven_ms=40.0, fast_ms=10.0, setup_ms=1.0, error=0.0
    )
    facts = speed.to_dict()
    assert (facts["times_faster"], facts["times_faster_undriven"], facts["fps"]) == (8, 4, 100)


def test_unknown_networks_are_named():
    with pytest.raises(InputError, match="'huge'; choose one of: paper, paper512, small"):
        bench(network="huge")


def test_a_network_with_mean_flows_is_measured_too():
    config = tiny().model_copy(update={"pixel_skip": True, "mean_flow": True})
    assert measure_generator(config, rounds=1).error < 0.1
