import numpy as np

from facevox.models.face.noise import (
    draw_uniform,
    hash_normal,
    hash_uniform,
    spline_bump,
    spline_kernel,
    spline_noise,
)

INDEX = np.arange(200_000)


def test_uniform_and_normal_have_their_moments():
    uniform, normal = hash_uniform(1, "a", INDEX), hash_normal(1, "a", INDEX)
    assert 0 < uniform.min() < uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.003
    assert abs(normal.mean()) < 0.01
    assert abs(normal.std() - 1) < 0.01
    assert abs(np.corrcoef(normal[1:], normal[:-1])[0, 1]) < 0.01


def test_streams_and_seeds_are_independent():
    one = hash_normal(1, "a", INDEX)
    for seed, name in ((2, "a"), (1, "b"), (-1, "a")):
        assert abs(np.corrcoef(one, hash_normal(seed, name, INDEX))[0, 1]) < 0.01


def test_any_part_of_the_noise_is_the_same_noise():
    times = np.arange(0, 30, 0.04)
    whole = spline_noise(3, "x", times, 0.7)
    parts = [spline_noise(3, "x", part, 0.7) for part in np.array_split(times, 13)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_noise_has_unit_variance_no_drift_and_no_jitter():
    times = np.arange(0, 20_000, 0.5)
    values = spline_noise(0, "x", times, 0.7)
    assert abs(values.std() - 1) < 0.05
    assert abs(values[: len(values) // 2].mean()) < 0.05
    fine = spline_noise(0, "x", np.arange(0, 200, 0.01), 2.0)
    power = np.abs(np.fft.rfft(fine * np.hanning(len(fine)))) ** 2
    frequency = np.fft.rfftfreq(len(fine), 0.01)
    assert power[frequency > 4].sum() < 1e-3 * power.sum()


def test_bump_is_one_at_its_middle_and_nothing_outside():
    times = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    bump = spline_bump(times, 1.0, 0.5)
    np.testing.assert_allclose(bump, [0, 0, 1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(spline_kernel(np.array([0.0, 1.0, 2.0])), [2 / 3, 1 / 6, 0])


def test_known_value():
    assert draw_uniform(0, "known", 0) == draw_uniform(0, "known", 0)
    assert round(draw_uniform(0, "known", 7), 6) == KNOWN


KNOWN = 0.360776
