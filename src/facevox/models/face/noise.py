"""Random motion that is a function of time, not a walk: any stretch can be asked for.

Every number is made from (seed, name, index) by a counter-based generator, so
that a frame looks the same however many frames are made at once, nothing has to
be remembered, and one kind of motion never disturbs another.
"""

import zlib

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import ndtri


def hash_uniform(
    seed: int, name: str, index: Int64[np.ndarray, "*shape"]
) -> Float64[np.ndarray, "*shape"]:
    """Return numbers in (0, 1) for the given indices of the stream `name`.

    Reference:
        Steele, Lea and Flood, Fast splittable pseudorandom number generators,
        OOPSLA 2014 (the finaliser of SplitMix64).
    """
    key = zlib.crc32(name.encode()) | (seed & 0xFFFFFFFF) << 32
    with np.errstate(over="ignore"):
        state = np.uint64(_mix(np.array([key], np.uint64))[0])
        bits = _mix(np.asarray(state + index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)))
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def hash_normal(
    seed: int, name: str, index: Int64[np.ndarray, "*shape"]
) -> Float64[np.ndarray, "*shape"]:
    """Return standard normal numbers for the given indices of the stream `name`."""
    return ndtri(hash_uniform(seed, name, index))


def draw_uniform(seed: int, name: str, index: int) -> float:
    """Return number `index` of the stream `name`, in (0, 1)."""
    return float(hash_uniform(seed, name, np.array([index], np.int64))[0])


def draw_normal(seed: int, name: str, index: int) -> float:
    """Return standard normal number `index` of the stream `name`."""
    return float(ndtri(draw_uniform(seed, name, index)))


def spline_kernel(distance: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Return the cubic B-spline: 2/3 at 0, nothing beyond 2, two smooth derivatives."""
    x = np.abs(distance)
    inner = 2 / 3 - x**2 + x**3 / 2
    outer = np.maximum(2 - x, 0) ** 3 / 6
    return np.where(x < 1, inner, outer)


def spline_bump(
    times: Float64[np.ndarray, " frames"], centre: float, half_width: float
) -> Float64[np.ndarray, " frames"]:
    """Return a smooth bump: 1 at the centre, exactly 0 from `half_width` [s] away."""
    return 1.5 * spline_kernel((times - centre) * (2 / half_width))


def spline_noise(
    seed: int, name: str, times: Float64[np.ndarray, " frames"], rate: float
) -> Float64[np.ndarray, " frames"]:
    """Return noise of unit variance with power up to about `rate` / 2 [Hz].

    Twice continuously differentiable, zero mean, no drift.

    Reference:
        Unser, Splines: a perfect fit for signal and image processing, IEEE SPM 1999.
    """
    position = np.asarray(times, np.float64) * rate
    first = np.floor(position).astype(np.int64) - 1
    index = first[:, None] + np.arange(4)
    weights = spline_kernel(position[:, None] - index)
    return (hash_normal(seed, name, index) * weights).sum(1) / np.sqrt(_MEAN_SQUARE)


def _mix(bits: np.ndarray) -> np.ndarray:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


_MEAN_SQUARE = 151 / 315
"""Integral of the squared cubic B-spline: the variance of the unscaled noise."""
