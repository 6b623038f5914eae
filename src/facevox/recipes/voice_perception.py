"""Train the judge of how a voice is heard, and measure it by cross-validation.

    python -m facevox.recipes.voice_perception --data ../shared/data

A minute on one core.  Needs the judge `resemblyzer` (`facevox judges get resemblyzer`).
"""

import argparse
import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from facevox.core.checkpoint import save_checkpoint
from facevox.core.waveform import read_waveform
from facevox.data.voice_words import DescribedVoice, read_described_voices
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.voice_perception import FOLDER, NAME
from facevox.recipes.face_judges import ridge, wilson_interval

STRENGTH = 1.0
"""Ridge penalty over the mean variance of a dimension times ten; of 0.001 to 1 the best."""

FOLDS = 10
KNOWN_SEX = {
    "vctk/p225": "female",
    "vctk/p226": "male",
    "vctk/p227": "male",
    "vctk/p228": "female",
    "kerstin_de": "female",
    "ljspeech": "female",
    "reader": "male",
}
"""Voices of other corpora, whose sex is known."""

OTHER_CLIPS = 10
"""Utterances that are taken of each."""

LIMITS = (
    "Learned from 246 adults reading English books; children were not heard, old voices "
    "hardly. It tells how a voice is likely to be described by listeners, nothing about the "
    "speaker. Of the age only the order means anything. Synthetic voices were not among them."
)


def fit(
    embeddings: Float[np.ndarray, "n dim"], targets: Float64[np.ndarray, "n 2"]
) -> tuple[Float64[np.ndarray, "2 dim"], Float64[np.ndarray, " 2"]]:
    """Return slopes and biases of both regressions."""
    center = embeddings.mean(0)
    x = (embeddings - center).astype(np.float64)
    strength = 10 * STRENGTH * float(x.var(0).mean())
    even = np.ones(len(x))
    made = [ridge(x, target, even, strength) for target in targets.T]
    slopes = np.stack([slope for slope, _ in made])
    return slopes, np.array([bias for _, bias in made]) - slopes @ center


def held_out(
    embeddings: Float[np.ndarray, "n dim"], targets: Float64[np.ndarray, "n 2"], seed: int
) -> Float64[np.ndarray, "n 2"]:
    """Return predictions of regressions that have not seen a row's fold."""
    fold = np.random.default_rng(seed).permutation(len(targets)) % FOLDS
    answers = np.empty_like(targets)
    for one in range(FOLDS):
        slopes, biases = fit(embeddings[fold != one], targets[fold != one])
        answers[fold == one] = embeddings[fold == one] @ slopes.T + biases
    return answers


def measure(
    voices: list[DescribedVoice],
    targets: Float64[np.ndarray, "n 2"],
    answers: Float64[np.ndarray, "n 2"],
) -> dict[str, Any]:
    """Return accuracy of the sex, rank correlation of the age, and how listeners agree."""
    from scipy.stats import spearmanr

    feminine = targets[:, 0] > 0
    right = (answers[:, 0] > 0) == feminine
    low, high = wilson_interval(int(right.sum()), len(right))

    def rank(rows: np.ndarray) -> float:
        return round(float(spearmanr(answers[rows, 1], targets[rows, 1])[0]), 3)

    ages = np.array([voice.ages for voice in voices])
    pairs = ((0, 1), (0, 2), (1, 2))
    agree = [spearmanr(ages[:, a], ages[:, b], nan_policy="omit")[0] for a, b in pairs]
    return {
        "speakers": len(voices),
        "sex_accuracy": round(float(right.mean()), 4),
        "sex_wilson_95": [round(low, 4), round(high, 4)],
        "age_spearman": rank(np.ones(len(right), bool)),
        "age_spearman_feminine": rank(feminine),
        "age_spearman_masculine": rank(~feminine),
        "age_spearman_between_two_listeners": [round(float(one), 3) for one in agree],
    }


def measure_others(
    speech: Path,
    encoder: Any,
    slopes: Float64[np.ndarray, "2 dim"],
    biases: Float64[np.ndarray, " 2"],
) -> dict[str, Any]:
    """Return how utterances of voices are heard that were not trained on."""
    from scipy.stats import spearmanr

    found: dict[str, Any] = {"sex_right": {}}
    for name, sex in KNOWN_SEX.items():
        files = sorted((speech / name).rglob("*.ogg"))[:OTHER_CLIPS]
        scores = np.array([embed(encoder, path) @ slopes[0] + biases[0] for path in files])
        right = (scores > 0) == (sex == "female")
        found["sex_right"][name] = f"{int(right.sum())} of {len(files)}"
    voices = read_described_voices(speech / "librispeech_other", speech / "librispeech_train")
    answers = np.stack([embed(encoder, voice.path) @ slopes.T + biases for voice in voices])
    right = (answers[:, 0] > 0) == np.array([voice.femininity > 0 for voice in voices])
    found["sex_right"]["librispeech_other"] = f"{int(right.sum())} of {len(voices)}"
    speakers = sorted({voice.speaker for voice in voices})
    of = np.array([voice.speaker for voice in voices])
    means = [answers[of == one, 1].mean() for one in speakers]
    known = [next(v.age for v in voices if v.speaker == one) for one in speakers]
    found["age_spearman_librispeech_other"] = round(float(spearmanr(means, known)[0]), 3)
    found["speakers_librispeech_other"] = len(speakers)
    return found


def embed(encoder: Any, path: Path) -> np.ndarray:
    """Return the speaker embedding of a sound file."""
    return encoder.embed(read_waveform(path, 16_000)[0])


def main() -> None:
    """Run the recipe."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the weights")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.monotonic()
    encoder = Judges().load("resemblyzer")
    speech = options.data / "speech"
    voices = read_described_voices(speech / "librispeech_train")
    embeddings = np.stack([embed(encoder, voice.path) for voice in voices])
    targets = np.array([(voice.femininity, voice.age) for voice in voices])
    results = measure(voices, targets, held_out(embeddings, targets, options.seed))
    slopes, biases = fit(embeddings, targets)
    others = measure_others(speech, encoder, slopes, biases)
    card = {
        "kind": "voice-perception",
        "purpose": "Tells how a synthetic voice is likely to be heard, to check that it fits a "
        "face; must not be used to classify people.",
        "limits": LIMITS,
        "config": {"embedding": "resemblyzer", "dim": embeddings.shape[1]},
        "results": {"ten_folds_by_speaker": results, "other_corpora": others},
        "data": "LibriSpeech, one utterance of 246 speakers (Panayotov et al. 2015, CC BY 4.0), "
        "with listeners' words of LibriTTS-P (Kawamura et al. 2024, CC BY 4.0)",
        "licence": "Apache-2.0",
        "command": "python -m facevox.recipes.voice_perception --data DATA",
        "date": date.today().isoformat(),
        "seconds": round(time.monotonic() - start, 1),
    }
    tensors = {"slopes": slopes.astype(np.float32), "biases": biases.astype(np.float32)}
    options.out.mkdir(parents=True, exist_ok=True)
    save_checkpoint(options.out / f"{NAME}.safetensors", tensors, card)
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
