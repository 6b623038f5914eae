"""Train the network from phones to mouth shapes on GRID.

python -m facevox.recipes.mouth_motion --data ../shared/data --tracks ../grid_tracks
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from facevox.core.speech import Phone
from facevox.data.grid_mouth import MouthClip
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.mouth_network import (
    CONTEXT,
    GAP_UNIT,
    NUM_OUTPUTS,
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

    steps: int = 1500
    batch: int = 24
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
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
