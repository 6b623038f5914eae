"""Fit the speaker encoder and measure it on speakers it has not heard.

    python -m facevox.recipes.speaker_encoder --data ../shared/data

Two minutes on one core.
"""

import argparse
import json
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64, Int64

from facevox.core.checkpoint import SPEECH_WEIGHTS, save_checkpoint
from facevox.core.voice import EMBEDDING_DIM
from facevox.data.band_augmentation import distort
from facevox.models.speech.speaker_encoder import NAME, SpeakerEncoder
from facevox.models.speech.speech_statistics import speech_statistics
from facevox.recipes.speaker_crops import Crops, split
from facevox.recipes.speaker_trials import measure

NUM_CLEAN, NUM_DISTORTED = 6, 18
"""Crops of each class as recorded, and as if recorded elsewhere."""

SHRINKAGE = 0.05
"""Share of the mean variance within speakers that is added to each; flat from 0.02 to 0.15."""


def describe(
    crops: Crops, generator: torch.Generator
) -> tuple[Float64[np.ndarray, "rows n"], Int64[np.ndarray, " rows"]]:
    """Return statistics of crops of every class, and their classes."""
    rows = []
    for index in range(crops.num_classes):
        drawn = crops.draw(index, NUM_CLEAN + NUM_DISTORTED)
        heard = torch.cat([drawn[:NUM_CLEAN], distort(drawn[NUM_CLEAN:], generator)])
        rows.append(speech_statistics(heard))
    made = np.concatenate(rows)
    return made, np.repeat(np.arange(crops.num_classes), NUM_CLEAN + NUM_DISTORTED)


def fit(
    statistics: Float64[np.ndarray, "rows n"], classes: Int64[np.ndarray, " rows"], dim: int
) -> SpeakerEncoder:
    """Return the encoder whose directions have most variance between over within classes.

    A direction counts by the square root of the share of its variance that is the speaker's,
    w / (w + 1) for a ratio w: what tells little is kept small.
    """
    from scipy.linalg import eigh

    mean, scale = statistics.mean(0), statistics.std(0)
    rows = (statistics - mean) / scale
    centers = np.stack([rows[classes == one].mean(0) for one in range(int(classes.max()) + 1)])
    rest = rows - centers[classes]
    within = rest.T @ rest / len(rest)
    within += SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    ratios, directions = eigh(np.cov(centers.T), within)
    ratios, directions = ratios[::-1][:dim], directions[:, ::-1][:, :dim]
    projection = directions * np.sqrt(ratios / (ratios + 1))
    return SpeakerEncoder(
        mean.astype(np.float32), scale.astype(np.float32), projection.astype(np.float32)
    )


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--out", type=Path, default=SPEECH_WEIGHTS, help="folder of the weights")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.monotonic()
    heard, halves, others = split(options.data)
    crops = Crops(heard, np.random.default_rng(options.seed))
    statistics, classes = describe(crops, torch.Generator().manual_seed(options.seed))
    encoder = fit(statistics, classes, EMBEDDING_DIM)
    card = {
        "kind": "speaker-encoder",
        "purpose": "Tells how a voice sounds, so that a speech model can sound like it; not "
        "made to recognise people.",
        "config": {"num_statistics": statistics.shape[1], "dim": EMBEDDING_DIM},
        "trained_on": {"utterances": len(heard), "speakers": len(crops.speakers)},
        "results": measure(encoder.embed, halves, others),
        "data": "LibriSpeech (Panayotov et al. 2015, CC BY 4.0), LJSpeech and a reader of its "
        "texts, a German reader, GRID speaker 1 (Cooke et al. 2006)",
        "licence": "Apache-2.0",
        "command": f"python -m facevox.recipes.speaker_encoder --data DATA --seed {options.seed}",
        "date": date.today().isoformat(),
        "seconds": round(time.monotonic() - start, 1),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    save_checkpoint(options.out / f"{NAME}.safetensors", encoder.tensors(), card)
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
