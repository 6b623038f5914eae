"""Fit the space of voices that a face's voice is drawn from.

    python -m facevox.recipes.voice_space --data ../shared/data

Two minutes on one core.
"""

import argparse
import json
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64

from facevox.core.checkpoint import SPEECH_WEIGHTS, save_checkpoint
from facevox.data.speakers import SAMPLE_RATE, Utterance, read_speakers
from facevox.data.voice_words import read_described_voices
from facevox.models.bridge.voice_space import NAME, VoiceSpace, conditions
from facevox.models.speech.pitch_track import pitch_track
from facevox.models.speech.speaker_encoder import SpeakerEncoder
from facevox.recipes.speaker_trials import Embed

CORPORA = ("librispeech_train", "librispeech_other", "vctk", "ljspeech", "reader", "grid")
SEX_OF_OTHERS = {"p225": 1, "p226": -1, "p227": -1, "p228": 1, "ljspeech": 1, "reader": -1,
                 "grid_s1": -1}  # fmt: skip
"""Of speakers whom no listener described; the pitch decides for the rest."""

BETWEEN = 150.0
"""Median pitch above which an undescribed speaker counts as a woman [Hz]."""

RIDGE = 0.3
MAY_BE_FACTORS = (8, 16, 24, 32, 48, 64)
FOLDS = 10
LIMIT = 0.45
"""Highest cosine of a voice with a speaker; people lie nearer to their nearest neighbour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Speakers:
    """What is known of the speakers.

    Attributes:
        names: Their names.
        embeddings: Their mean embeddings, of length one.
        pitch: Median fundamental frequency [log Hz].
        femininity: As listeners say.
        age: As listeners say.
    """

    names: list[str]
    embeddings: Float64[np.ndarray, "speakers dim"]
    pitch: Float64[np.ndarray, " speakers"]
    femininity: Float64[np.ndarray, " speakers"]
    age: Float64[np.ndarray, " speakers"]


def describe(utterances: list[Utterance], words: dict[str, Any], embed: Embed) -> Speakers:
    """Return embeddings and pitches of speakers, with what listeners said of them."""
    names = sorted({one.speaker for one in utterances})
    embeddings, pitches = [], []
    for name in names:
        own = [one.waveform for one in utterances if one.speaker == name]
        mean = np.mean([embed(one).astype(np.float64) for one in own], 0)
        embeddings.append(mean / np.linalg.norm(mean))
        tracks = [pitch_track(one, SAMPLE_RATE, len(one) // 160) for one in own]
        track = np.concatenate(tracks)
        pitches.append(np.log(np.median(track[track > 0])))
    said = [words.get(name) for name in names]
    ages = [one.age for one in said if one]
    guesses = [1.0 if pitch > np.log(BETWEEN) else -1.0 for pitch in pitches]
    return Speakers(
        names=names,
        embeddings=np.stack(embeddings),
        pitch=np.array(pitches, np.float64),
        femininity=np.array(
            [
                float(one.femininity if one else SEX_OF_OTHERS.get(name, guess))
                for name, one, guess in zip(names, said, guesses, strict=True)
            ]
        ),
        age=np.array([float(one.age if one else np.mean(ages)) for one in said]),
    )


def fit(known: Speakers, rows: np.ndarray, factors: int) -> dict[str, np.ndarray]:
    """Return slopes, factors and the rest of the variance, in the embedding's coordinates.

    Probabilistic principal components of what sex, age and pitch leave over.

    Reference:
        Tipping and Bishop, Probabilistic principal component analysis, JRSS B 1999.
    """
    wanted = zip(known.femininity[rows], known.age[rows], strict=True)
    design = np.stack([conditions(float(sex), float(age)) for sex, age in wanted])
    penalty = RIDGE * np.diag([0.0, 1.0, 1.0, 1.0])
    inverse = np.linalg.solve(design.T @ design + penalty, design.T)
    slopes = inverse @ known.embeddings[rows]
    rest = known.embeddings[rows] - design @ slopes
    pitch_slopes = inverse @ known.pitch[rows]
    pitch = known.pitch[rows] - design @ pitch_slopes
    sigma = pitch.std()
    tone = (pitch / sigma) @ rest / (len(rest) + RIDGE)
    rest = rest - np.outer(pitch / sigma, tone)
    _, singular, directions = np.linalg.svd(rest, full_matrices=False)
    variances = singular**2 / len(rest)
    floor = variances[factors:].sum() / (rest.shape[1] - factors)
    spread = np.sqrt(np.maximum(variances[:factors] - floor, 0))
    return {
        "slopes": slopes,
        "pitch_slopes": pitch_slopes,
        "sigma": np.array(sigma),
        "factors": np.concatenate([tone[None], directions[:factors] * spread[:, None]]),
        "floor": np.array(floor),
    }


def likelihood(known: Speakers, rows: np.ndarray, made: dict[str, np.ndarray]) -> float:
    """Return the mean log likelihood of speakers under a fitted model."""
    wanted = zip(known.femininity[rows], known.age[rows], strict=True)
    design = np.stack([conditions(float(sex), float(age)) for sex, age in wanted])
    rest = known.embeddings[rows] - design @ made["slopes"]
    dim = rest.shape[1]
    covariance = made["factors"].T @ made["factors"] + made["floor"] * np.eye(dim)
    _, size = np.linalg.slogdet(covariance)
    distance = np.einsum("nd,de,ne->n", rest, np.linalg.inv(covariance), rest)
    return float(-0.5 * (distance.mean() + size + dim * np.log(2 * np.pi)))


def best_factors(known: Speakers, seed: int) -> tuple[int, dict[int, float]]:
    """Return how many factors explain unheard speakers best, and all that were tried."""
    fold = np.random.default_rng(seed).permutation(len(known.names)) % FOLDS
    tried = {}
    for factors in MAY_BE_FACTORS:
        scores = []
        for one in range(FOLDS):
            made = fit(known, np.flatnonzero(fold != one), factors)
            scores.append(likelihood(known, np.flatnonzero(fold == one), made))
        tried[factors] = round(float(np.mean(scores)), 2)
    return max(tried, key=lambda one: tried[one]), tried


def build(known: Speakers, made: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], VoiceSpace]:
    """Return the tensors of the space, and the space."""
    spanned = np.concatenate([made["slopes"], made["factors"]])
    _, singular, directions = np.linalg.svd(spanned, full_matrices=False)
    basis = directions[singular > 1e-9]
    tensors = {
        "basis": basis.astype(np.float32),
        "slopes": (made["slopes"] @ basis.T).astype(np.float32),
        "factors": (made["factors"] @ basis.T).astype(np.float32),
        "speakers": (known.embeddings @ basis.T).astype(np.float16),
    }
    return tensors, VoiceSpace(**tensors, limit=LIMIT, pitch_sigma=float(made["sigma"]))


def measure(known: Speakers, space: VoiceSpace, num_draws: int = 200) -> dict[str, Any]:
    """Return how near draws come to speakers, compared with how near speakers are."""
    generator = np.random.default_rng(0)
    draws = np.stack(
        [
            space.embedding(
                float(generator.choice([-1.0, 1.0])),
                float(generator.uniform(-0.5, 1.0)),
                generator.standard_normal(space.num_noises),
            )
            for _ in range(num_draws)
        ]
    )
    nearest = (draws @ known.embeddings.T).max(1)
    others = known.embeddings @ known.embeddings.T
    np.fill_diagonal(others, -1)
    between = draws @ draws.T
    upper = between[np.triu_indices(num_draws, 1)]
    real = others[np.triu_indices(len(others), 1)]

    def quantiles(values: np.ndarray) -> list[float]:
        return np.percentile(values, [5, 50, 95, 100]).round(3).tolist()

    return {
        "draw_to_nearest_speaker": quantiles(nearest),
        "speaker_to_nearest_other_speaker": quantiles(others.max(1)),
        "draw_to_draw": quantiles(upper),
        "speaker_to_speaker": quantiles(real),
    }


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--out", type=Path, default=SPEECH_WEIGHTS, help="folder of the weights")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.monotonic()
    speech = options.data / "speech"
    voices = read_described_voices(speech / "librispeech_train")
    voices += read_described_voices(speech / "librispeech_other", speech / "librispeech_train")
    words = {f"ls{voice.speaker}": voice for voice in voices}
    utterances = read_speakers(options.data, CORPORA)
    known = describe(utterances, words, SpeakerEncoder.load().embed)
    factors, tried = best_factors(known, options.seed)
    made = fit(known, np.arange(len(known.names)), factors)
    tensors, space = build(known, made)
    card = {
        "kind": "voice-space",
        "purpose": "Draws voices that fit a perceived sex and age; says nothing about people.",
        "limits": "Learned from adults who read English aloud; children are not in it.",
        "config": {
            "dims": len(tensors["basis"]),
            "noises": len(tensors["factors"]),
            "speakers": len(known.names),
            "limit": LIMIT,
            "pitch_sigma": round(float(made["sigma"]), 4),
        },
        "results": {
            "log_likelihood_of_unheard": tried,
            "cosines_5_50_95_100": measure(known, space),
        },
        "data": "LibriSpeech (Panayotov et al. 2015, CC BY 4.0) with listeners' words of "
        "LibriTTS-P (Kawamura et al. 2024, CC BY 4.0), VCTK (CC BY 4.0), LJSpeech and a reader "
        "of its texts, GRID speaker 1 (Cooke et al. 2006, CC BY 4.0)",
        "licence": "Apache-2.0",
        "command": f"python -m facevox.recipes.voice_space --data DATA --seed {options.seed}",
        "date": date.today().isoformat(),
        "seconds": round(time.monotonic() - start, 1),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    save_checkpoint(options.out / f"{NAME}.safetensors", tensors, card)
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
