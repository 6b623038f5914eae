"""Train the network from phones to mouth shapes on GRID.

python -m facevox.recipes.mouth_motion --data ../shared/data --tracks ../grid_tracks
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from facevox.core.checkpoint import WEIGHTS, save_checkpoint
from facevox.core.speech import SILENCE, Phone
from facevox.data.grid import hold_out, list_clips
from facevox.data.grid_mouth import MouthClip, read_mouth_clips
from facevox.evaluation.mouth_agreement import MouthPair, agreement
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.mouth_motion import MouthMotion
from facevox.models.face.mouth_network import (
    CONTEXT,
    DILATIONS,
    GAP_UNIT,
    KERNEL,
    NUM_OUTPUTS,
    WIDTH,
    initial_weights,
    mouth_network,
)
from facevox.models.face.phone_features import HOP_RATE, phone_features


@dataclass(frozen=True, kw_only=True)
class Training:
    """Settings of a run.

    Attributes:
        steps: Optimiser steps.
        batch: Clips per step.
        learning_rate: Highest rate; warmed up, then lowered as a cosine.
        weight_decay: Of AdamW.
        stretch: Largest change of tempo, as a factor.
        jitter: Standard deviation of phone boundary noise [s].
        energy_dropout: Part of the clips whose loudness is hidden.
        velocity_weight: Weight of the error in frame-to-frame change.
        max_gain: Upper limit of the gain that restores the amplitude.
        seed: Of everything random.
    """

    steps: int = 1800
    batch: int = 24
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    stretch: float = 1.3
    jitter: float = 0.008
    energy_dropout: float = 0.4
    velocity_weight: float = 1.0
    max_gain: float = 1.15
    seed: int = 0


def vary(
    clip: MouthClip, settings: Training, generator: np.random.Generator
) -> tuple[tuple[Phone, ...], float, float]:
    """Return phones at another tempo with noisy bounds, the tempo, and a shift [s]."""
    tempo = float(np.exp(generator.uniform(-1, 1) * np.log(settings.stretch)))
    shift = float(generator.uniform(0, 1 / HOP_RATE))
    bounds = [clip.phones[0].start, *(phone.end for phone in clip.phones)]
    noisy = np.array(bounds) + generator.normal(size=len(bounds)) * settings.jitter
    noisy = np.maximum.accumulate(noisy) * tempo + shift
    phones = tuple(
        replace(phone, start=float(noisy[i]), end=float(noisy[i + 1]))
        for i, phone in enumerate(clip.phones)
    )
    return phones, tempo, shift


def targets_of(clip: MouthClip) -> Float[np.ndarray, "frames 7"]:
    """Return what the network shall say in every frame."""
    return np.concatenate([clip.mouth, clip.lip_gap[:, None] / GAP_UNIT], 1)


def make_batch(
    clips: Sequence[MouthClip], settings: Training, generator: np.random.Generator
) -> tuple[torch.Tensor, ...]:
    """Return features, instants of the frames [hops], targets and which frames count."""
    rows = []
    longest = int(np.ceil(len(clips[0].mouth) / clips[0].fps * settings.stretch * HOP_RATE)) + 2
    hops = (np.arange(-CONTEXT, longest + CONTEXT) / HOP_RATE).astype(np.float32)
    for clip in clips:
        phones, tempo, shift = vary(clip, settings, generator)
        original = (hops - shift) / tempo
        own = np.arange(len(clip.loudness)) / HOP_RATE
        energy = np.interp(original, own, clip.loudness, left=0, right=0).astype(np.float32)
        hidden = generator.uniform() < settings.energy_dropout
        features = phone_features(phones, hops, None if hidden else energy)
        instants = (np.arange(len(clip.mouth)) / clip.fps * tempo + shift) * HOP_RATE
        rows.append((features, instants, targets_of(clip), clip.found))
    columns = zip(*rows, strict=True)
    return tuple(torch.from_numpy(np.stack(column).astype(np.float32)) for column in columns)


def sample_at(outputs: torch.Tensor, instants: torch.Tensor) -> torch.Tensor:
    """Interpolate (clips, hops, channels) at (clips, frames) instants, linearly."""
    low = instants.floor().long().clamp(0, outputs.shape[1] - 2)
    part = (instants - low).unsqueeze(-1)
    index = low.unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    return outputs.gather(1, index) * (1 - part) + outputs.gather(1, index + 1) * part


def channel_weights(basis: MouthBasis) -> torch.Tensor:
    """Return how much each output counts: larger movements more, but none forgotten."""
    strength = np.sqrt(basis.scale / basis.scale[0])
    return torch.tensor(np.append(strength, 1.5), dtype=torch.float32)


def loss_of(
    weights: dict[str, torch.Tensor],
    batch: tuple[torch.Tensor, ...],
    channels: torch.Tensor,
    settings: Training,
) -> torch.Tensor:
    """Return the error of position and of change."""
    features, instants, targets, found = batch
    predicted = sample_at(mouth_network(features, weights), instants)
    error = (predicted - targets) * found.unsqueeze(-1)
    change = error[:, 1:] - error[:, :-1]
    position = (error**2).mean((0, 1))
    velocity = (change**2).mean((0, 1))
    return ((position + settings.velocity_weight * velocity) * channels).sum() / channels.sum()


def train(
    clips: Sequence[MouthClip], basis: MouthBasis, settings: Training
) -> dict[str, np.ndarray]:
    """Train and return the weights."""
    torch.manual_seed(settings.seed)
    generator = np.random.default_rng(settings.seed)
    weights = {
        name: torch.tensor(value, requires_grad=name != "gain")
        for name, value in initial_weights(settings.seed).items()
    }
    learned = [value for value in weights.values() if value.requires_grad]
    optimiser = torch.optim.AdamW(
        learned, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.steps, pct_start=0.1
    )
    channels = channel_weights(basis)
    started, recent = time.monotonic(), []
    for step in range(settings.steps):
        chosen = generator.choice(len(clips), settings.batch, replace=False)
        batch = make_batch([clips[i] for i in chosen], settings, generator)
        loss = loss_of(weights, batch, channels, settings)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        schedule.step()
        recent.append(loss.item())
        if (step + 1) % 100 == 0:
            spent = time.monotonic() - started
            print(f"step {step + 1} loss {np.mean(recent):.4f} {spent:.0f} s", flush=True)
            recent = []
    return {name: value.detach().numpy() for name, value in weights.items()}


def predict(
    clip: MouthClip, weights: dict[str, np.ndarray], *, with_energy: bool = True
) -> Float[np.ndarray, "frames 7"]:
    """Return the network's outputs at the clip's video frames."""
    num_hops = len(clip.loudness)
    hops = (np.arange(-CONTEXT, num_hops + CONTEXT) / HOP_RATE).astype(np.float32)
    energy = np.pad(clip.loudness, CONTEXT) if with_energy else None
    outputs = mouth_network(phone_features(clip.phones, hops, energy), weights)
    instants = np.arange(len(clip.mouth)) / clip.fps * HOP_RATE
    own = np.arange(num_hops)
    return np.stack([np.interp(instants, own, outputs[:, c]) for c in range(NUM_OUTPUTS)], 1)


def fit_gain(
    clips: Sequence[MouthClip], weights: dict[str, np.ndarray], limit: float
) -> np.ndarray:
    """Return the factors that give each output the amplitude it has in the data.

    A network trained on squared error is too calm by the factor of its own
    correlation; `limit` keeps weak outputs from being blown up.
    """
    said = np.concatenate([predict(clip, weights)[clip.found] for clip in clips])
    true = np.concatenate([targets_of(clip)[clip.found] for clip in clips])
    return np.clip(true.std(0) / said.std(0), 1.0, limit).astype(np.float32)


def visemes(clips: Sequence[MouthClip]) -> dict[str, Float[np.ndarray, " 7"]]:
    """Return the mean mouth in the middle of each phone: the first baseline."""
    seen: dict[str, list[np.ndarray]] = {}
    for clip in clips:
        targets = targets_of(clip)
        for phone in clip.phones:
            frame = round((phone.start + phone.end) / 2 * clip.fps)
            if frame < len(targets) and clip.found[frame]:
                seen.setdefault(phone.name, []).append(targets[frame])
    return {name: np.mean(rows, 0) for name, rows in seen.items()}


def predict_visemes(
    clip: MouthClip, means: dict[str, Float[np.ndarray, " 7"]]
) -> Float[np.ndarray, "frames 7"]:
    """Return mean mouths joined by straight lines; long pauses rest from edge to edge."""
    times, rows = [], []
    for phone in clip.phones:
        length = phone.end - phone.start
        edge = min(0.04, length / 2)
        for instant in {(phone.start + phone.end) / 2} | (
            {phone.start + edge, phone.end - edge} if phone.name == SILENCE else set()
        ):
            times.append(instant)
            rows.append(means[phone.name])
    order = np.argsort(times)
    at = np.arange(len(clip.mouth)) / clip.fps
    columns = np.array(rows)[order].T
    return np.stack([np.interp(at, np.array(times)[order], column) for column in columns], 1)


def pair(
    clip: MouthClip, outputs: Float[np.ndarray, "frames 7"], laws: MouthMotion | None = None
) -> MouthPair:
    """Set what was made beside what was filmed, after the laws of the mouth if given."""
    made = outputs * np.append(np.ones(NUM_OUTPUTS - 1), GAP_UNIT)
    if laws is not None:
        times = np.arange(len(clip.mouth)) / clip.fps
        track = laws.obey(outputs, clip.phones, times, 1 / clip.fps)
        made = np.concatenate([track.mouth, track.lip_gap[:, None]], 1).astype(np.float64)
    filmed = np.concatenate([clip.mouth, clip.lip_gap[:, None]], 1)
    return MouthPair(made=made, filmed=filmed, found=clip.found, phones=clip.phones, fps=clip.fps)


def measure(
    learning: Sequence[MouthClip],
    held_out: Sequence[MouthClip],
    weights: dict[str, np.ndarray],
    basis: MouthBasis,
) -> dict[str, dict]:
    """Compare the network, alone and with laws, with two baselines on unseen clips."""
    laws, means = MouthMotion(basis, weights), visemes(learning)
    said = [predict(clip, weights).astype(np.float64) for clip in held_out]
    return {
        "with_laws": agreement(
            [pair(clip, rows, laws) for clip, rows in zip(held_out, said, strict=True)]
        ),
        "network": agreement([pair(clip, rows) for clip, rows in zip(held_out, said, strict=True)]),
        "network_without_energy": agreement(
            [
                pair(clip, predict(clip, weights, with_energy=False).astype(np.float64))
                for clip in held_out
            ]
        ),
        "mean_viseme": agreement([pair(clip, predict_visemes(clip, means)) for clip in held_out]),
        "zero": agreement([pair(clip, np.zeros((len(clip.mouth), 7))) for clip in held_out]),
    }


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Train mouth motion on GRID.")
    parser.add_argument("--data", type=Path, required=True, help="folder with talking/grid_s1")
    parser.add_argument("--tracks", type=Path, required=True, help="folder of face tracks (npz)")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "mouth_motion.safetensors")
    parser.add_argument("--steps", type=int, default=Training.steps)
    parser.add_argument("--seed", type=int, default=Training.seed)
    arguments = parser.parse_args()
    settings = Training(steps=arguments.steps, seed=arguments.seed)
    basis = MouthBasis.load()
    learning, held_out = hold_out(list_clips(arguments.data / "talking" / "grid_s1"))
    learning_clips, left_out = read_mouth_clips(learning, arguments.tracks, basis)
    held_out_clips, more = read_mouth_clips(held_out, arguments.tracks, basis)
    print("\n".join(left_out + more))
    weights = train(learning_clips, basis, settings)
    weights["gain"] = fit_gain(learning_clips, weights, settings.max_gain)
    results = measure(learning_clips, held_out_clips, weights, basis)
    counts = {"clips_learned": len(learning_clips), "clips_held_out": len(held_out_clips)}
    save(arguments.out, weights, settings, counts | results)
    print(json.dumps(results, indent=2))


def save(path: Path, weights: dict[str, np.ndarray], settings: Training, results: dict) -> None:
    """Write the weights in half precision and their card."""
    card = {
        "kind": "mouth-motion",
        "config": {"width": WIDTH, "kernel": KERNEL, "dilations": list(DILATIONS)},
        "training": asdict(settings),
        "data": "GRID corpus, speaker s1 (Cooke et al. 2006), CC BY 4.0; landmarks by MediaPipe "
        "face_landmarker (Apache-2.0), phones by pocketsphinx (BSD-2)",
        "licence": "Apache-2.0",
        "command": "python -m facevox.recipes.mouth_motion --data DATA --tracks TRACKS",
        "date": time.strftime("%Y-%m-%d"),
        "results": results,
    }
    half = {name: value.astype(np.float16) for name, value in weights.items()}
    save_checkpoint(path, half, card)


if __name__ == "__main__":
    main()
