"""How well embeddings tell speakers apart, and what else they hear."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from facevox.core.waveform import resample
from facevox.data.speakers import SAMPLE_RATE, Utterance

Embed = Callable[[np.ndarray], np.ndarray]

FACTORS = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
NOISE = 10.0
"""Distance of the added noise below the speech [dB]."""


def measure(embed: Embed, halves: list[Utterance], others: list[Utterance]) -> dict[str, Any]:
    """Return equal-error rates and what noise and size do to an embedding.

    Args:
        embed: Waveform at 16 kHz -> vector of length one.
        halves: One recording of each of some speakers; its halves are compared.
        others: Several recordings of each of some speakers.
    """
    first = np.stack([embed(one.waveform[: len(one.waveform) // 2]) for one in halves])
    second = np.stack([embed(one.waveform[len(one.waveform) // 2 :]) for one in halves])
    same = np.eye(len(halves), dtype=bool)
    found: dict[str, Any] = {"halves": _trials(first @ second.T, same, ~same)}
    for corpus in sorted({one.corpus for one in others}):
        rows = [one for one in others if one.corpus == corpus]
        made = np.stack([embed(one.waveform) for one in rows])
        of = np.array([one.speaker for one in rows])
        pairs = np.triu(np.ones((len(rows), len(rows)), bool), 1)
        same = of[:, None] == of[None]
        found[corpus] = _trials(made @ made.T, pairs & same, pairs & ~same)
    return found | _robustness(embed, halves)


def equal_error_rate(
    same: Float[np.ndarray, " trials"], different: Float[np.ndarray, " others"]
) -> float:
    """Return the rate at which as many equal pairs are refused as unequal ones are taken."""
    thresholds = np.unique(np.concatenate([same, different]))
    missed = np.searchsorted(np.sort(same), thresholds) / len(same)
    taken = 1 - np.searchsorted(np.sort(different), thresholds) / len(different)
    best = np.argmin(np.abs(missed - taken))
    return float((missed[best] + taken[best]) / 2)


def _trials(
    cosine: Float[np.ndarray, "n m"], same: Bool[np.ndarray, "n m"], other: Bool[np.ndarray, "n m"]
) -> dict[str, Any]:
    return {
        "equal_error_rate": round(equal_error_rate(cosine[same], cosine[other]), 4),
        "trials": [int(same.sum()), int(other.sum())],
        "cosine_same": round(float(cosine[same].mean()), 3),
        "cosine_different": round(float(cosine[other].mean()), 3),
    }


def _robustness(embed: Embed, rows: list[Utterance]) -> dict[str, Any]:
    """Return cosines with noisy, dull and resampled copies of the same recordings."""
    generator = np.random.default_rng(0)
    clean = np.stack([embed(one.waveform) for one in rows])

    def kept(change: Callable[[np.ndarray], np.ndarray]) -> float:
        made = np.stack([embed(change(one.waveform).astype(np.float32)) for one in rows])
        return round(float((made * clean).sum(-1).mean()), 3)

    def noisy(waveform: np.ndarray) -> np.ndarray:
        noise = generator.standard_normal(len(waveform))
        level = np.sqrt(np.mean(waveform**2)) * 10 ** (-NOISE / 20)
        return waveform + level * noise

    def dull(waveform: np.ndarray) -> np.ndarray:
        return waveform + 0.9 * np.concatenate([[0.0], waveform[:-1]])

    def resized(factor: float) -> float:
        return kept(lambda waveform: resample(waveform, SAMPLE_RATE * factor, SAMPLE_RATE))

    sizes = {f"{factor:g}": resized(factor) for factor in FACTORS}
    return {"cosine_noisy_10_db": kept(noisy), "cosine_dull": kept(dull), "cosine_resampled": sizes}
