"""Stage S1 of the talking face: the sync expert learns which mouth goes with which sound.

    facevox prepare grid GRID -o SHARDS --faces
    facevox train sync --data SHARDS -o SYNC

Reference:
    Chung, Chung and Kang, Perfect match: improved cross-modal embeddings for audio-visual
    synchronisation, ICASSP 2019.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import load_card, load_module, save_checkpoint
from facevox.data.shards import Shards
from facevox.data.talking_samples import talking
from facevox.models.face.ttsf.sync_expert import (
    FRAMES,
    SyncExpert,
    SyncExpertConfig,
    matching_accuracy,
    matching_loss,
    paper,
    small,
    tiny,
)
from facevox.recipes.talking_batches import open_clip, sync_batch
from facevox.training.batches import DrawnBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.settings import RunSettings, Settings, TaskSettings
from facevox.training.task import Batches, Task

_HELD_BATCHES = 8
_LAST_SHARE = 0.05


class ModelSettings(Settings):
    """What is trained.

    Attributes:
        expert: Sizes.
        side: Pictures are read at this size [px].
    """

    expert: SyncExpertConfig = small()
    side: int = Field(default=128, ge=16)


class OptimSettings(Settings):
    """AdamW with a rate that rises, then falls like a cosine to a twentieth."""

    rate: float = Field(default=1e-3, gt=0)
    warm_up: int = Field(default=100, ge=1)
    decay: float = Field(default=0.05, ge=0)


class DataSettings(Settings):
    """What is drawn.

    Attributes:
        batch: Clips in a batch.
        windows: Runs of five pictures of a clip among which the right sound is sought: the
            offsets in time, and so the chance level.
        epoch: Batches that count as one pass.
    """

    batch: int = Field(default=8, ge=2)
    windows: int = Field(default=30, ge=2)
    epoch: int = Field(default=500, ge=1)


class SyncSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=4000, clip=5.0, ema=0.998)


class SyncNetwork(nn.Module):
    """The expert as it is trained: all windows of all clips at once.

    Args:
        config: Sizes.
    """

    def __init__(self, config: SyncExpertConfig) -> None:
        super().__init__()
        self.expert = SyncExpert(config)

    def forward(
        self,
        frames: Float[Tensor, "batch 3 frames side side"],
        mel: Float[Tensor, "batch 80 steps"],
    ) -> Float[Tensor, "batch windows windows"]:
        """Return how well pictures and sound of each clip fit, window by window."""
        seen, heard = self.expert.embed_frames(frames), self.expert.embed_mel(mel)
        return self.expert.logits(seen, heard)


class SyncTask(Task):
    """Mouths and sounds to one space."""

    name = "sync"
    Config = SyncSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {},
        "paper": {
            "model": {"expert": paper().model_dump(), "side": 256},
            "optim": {"rate": 1e-4, "decay": 0.0},
            "data": {"batch": 16},
            "run": {"steps": 200_000},
        },
        "tiny": {
            "model": {"expert": tiny().model_dump(), "side": 32},
            "data": {"batch": 2, "windows": 4},
            "run": {"steps": 4, "precision": "32-true"},
        },
    }
    averaged = ("sync",)
    best = "accuracy"
    lower_is_better = False

    def networks(self) -> dict[str, nn.Module]:
        """Make the expert."""
        return {"sync": SyncNetwork(self.config.model.expert)}

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make one AdamW."""
        optim = self.config.optim
        parameters = networks["sync"].parameters()
        return {"sync": AdamW(parameters, optim.rate, weight_decay=optim.decay)}

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Let the rate rise, then fall."""
        return rise_and_fall(
            optimizers,
            warm_up=self.config.optim.warm_up,
            steps=self.run.steps,
            last_share=_LAST_SHARE,
        )

    def batches(self, split: str) -> Batches:
        """Draw windows of the clips.

        Raises:
            DataError: If there are no talking faces that are long enough.
        """
        data, learning = self.config.data, split == "train"
        shards = Shards(self.data, split)
        frames = data.windows + FRAMES - 1
        numbers = talking(shards, frames)

        def draw(generator: np.random.Generator) -> dict[str, Tensor]:
            chosen = generator.choice(numbers, data.batch, replace=len(numbers) < data.batch)
            clips = [open_clip(shards, int(number)) for number in chosen]
            return sync_batch(clips, frames, self.config.model.side, generator, learning)

        seed, epoch = (self.run.seed, data.epoch) if learning else (self.run.seed + 1, 0)
        return DrawnBatches(draw, seed=seed, epoch=epoch or _HELD_BATCHES)

    def step(self, context: Context, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        """Find the right sound for all pictures, and the reverse."""
        logits = context["sync"](batch["frames"], batch["mel"])
        loss = matching_loss(logits)
        context.backward(loss)
        context.update("sync")
        return {"matching": loss.detach(), "accuracy": matching_accuracy(logits.detach())}

    def validate(self, context: Context) -> dict[str, float]:
        """Return how often the right sound is found among all offsets, and within a frame."""
        rows = []
        batches = self.batches("validation")
        for number in range(len(batches)):
            batch = {name: value.to(context.device) for name, value in batches[number].items()}
            logits = context["sync"](batch["frames"], batch["mel"])
            measured = (
                matching_accuracy(logits),
                matching_accuracy(logits, slack=1),
                matching_loss(logits),
            )
            rows.append([float(value) for value in measured])
        accuracy, near, loss = np.mean(rows, axis=0)
        return {"accuracy": float(accuracy), "within_one": float(near), "matching": float(loss)}

    def describe_data(self) -> dict[str, Any]:
        """Return the clips and their length."""
        shards = Shards(self.data, "train")
        numbers = talking(shards, self.config.data.windows + FRAMES - 1)
        minutes = sum(shards.entries[number]["pictures"] for number in numbers) / 1500
        return {"data": f"{self.data.name}: {len(numbers)} talking faces, {minutes:.1f} min"}

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `sync.safetensors`."""
        network = networks["sync"]
        assert isinstance(network, SyncNetwork)
        sizes = self.config.model.expert.model_dump(mode="json")
        changed = {**card, "kind": "sync-expert", "config": sizes, "settings": card["config"]}
        state = network.expert.state_dict()
        return [save_checkpoint(folder / "sync.safetensors", state, changed)]


def load_sync_expert(path: Path) -> SyncExpert:
    """Return an exported sync expert, frozen.

    Raises:
        CheckpointError: If it is absent, damaged or does not fit its card.
    """
    expert = SyncExpert(SyncExpertConfig.model_validate(load_card(path)["config"]))
    load_module(expert, path)
    return expert.eval().requires_grad_(False)


def random_sync_expert(config: SyncExpertConfig, seed: int = 0) -> SyncExpert:
    """Return an untrained, frozen expert: a twin for tests."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expert = SyncExpert(config)
    return expert.eval().requires_grad_(False)
