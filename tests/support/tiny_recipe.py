"""A reference recipe: a tiny GAN that learns the cube of a number, in a millisecond a step."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from facevox.training.batches import PackedBatches
from facevox.training.settings import RunSettings, Settings, TaskSettings
from facevox.training.task import Samples, Task


class ModelSettings(Settings):
    width: int = 8
    dropout: float = 0.1
    norm: bool = True


class OptimSettings(Settings):
    learning_rate: float = 1e-2
    momentum_only: bool = False


class DataSettings(Settings):
    clips: int = 40
    budget: int = 64
    noise: float = 0.01
    merged: int = 1
    shares: dict[str, float] = Field(default_factory=lambda: {"a": 1.0})


class TinySettings(TaskSettings):
    model: ModelSettings = ModelSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(
        steps=6, log_steps=1, validate_steps=3, precision="32-true", threads=1
    )


class Perceptron(nn.Sequential):
    def __init__(self, model: ModelSettings) -> None:
        super().__init__(
            nn.Linear(1, model.width),
            nn.Tanh(),
            nn.Dropout(model.dropout),
            nn.BatchNorm1d(model.width) if model.norm else nn.Identity(),
            nn.Linear(model.width, 1),
        )

    def make(self, x: Tensor) -> Tensor:
        return self(x)


class Merged:
    """Several batches as one, to compare one process with several."""

    def __init__(self, batches: PackedBatches, merged: int) -> None:
        self.batches, self.merged = batches, merged

    def __len__(self) -> int:
        return len(self.batches) // self.merged

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        parts = [self.batches[number * self.merged + i] for i in range(self.merged)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


class TinyTask(Task):
    name = "tiny"
    Config = TinySettings
    presets: ClassVar = {"wide": {"model": {"width": 16}}}
    averaged = ("generator",)
    exported = ("generator",)
    best = "error"
    forward_methods: ClassVar = {"generator": ("make",)}

    def networks(self) -> dict[str, nn.Module]:
        model = self.config.model
        critic = nn.Sequential(nn.Linear(2, model.width), nn.LeakyReLU(), nn.Linear(model.width, 1))
        return {"generator": Perceptron(model), "critic": critic}

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, torch.optim.Optimizer]:
        optim = self.config.optim
        kind = torch.optim.SGD if optim.momentum_only else torch.optim.AdamW
        return {n: kind(net.parameters(), optim.learning_rate) for n, net in networks.items()}

    def schedules(self, optimizers: Mapping[str, Any]) -> dict[str, Any]:
        return {n: torch.optim.lr_scheduler.ExponentialLR(o, 0.99) for n, o in optimizers.items()}

    def batches(self, split: str) -> Any:
        data = self.config.data
        lengths = 4 + np.arange(data.clips) % 7

        def load(indices: list[int], generator: np.random.Generator) -> dict[str, Tensor]:
            x = np.concatenate([np.linspace(-1, 1, lengths[i]) + i / 100 for i in indices])
            noise = data.noise * generator.normal(size=len(x))
            return {
                "x": torch.tensor(x, dtype=torch.float32)[:, None],
                "y": torch.tensor(x**3 + noise, dtype=torch.float32)[:, None],
            }

        learning = split == "train"
        seed, budget = self.run.seed, data.budget
        batches = PackedBatches(lengths, load, budget=budget, seed=seed, shuffle=learning)
        return Merged(batches, data.merged) if learning and data.merged > 1 else batches

    def weight(self, batch: dict[str, Tensor]) -> float:
        return float(len(batch["x"]))

    def step(self, context: Any, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        x, y = batch["x"], batch["y"]
        made = context["generator"].make(x)
        real = context["critic"](torch.cat([x, y], 1))
        fake = context["critic"](torch.cat([x, made.detach()], 1))
        critic_loss = ((real - 1) ** 2 + fake**2).mean()
        context.backward(critic_loss)
        context.update("critic")
        with context.frozen("critic"):
            judged = context["critic"](torch.cat([x, made], 1))
            distance = ((made - y) ** 2).mean()
            context.backward(((judged - 1) ** 2).mean() + 10 * distance)
        context.update("generator", clip=5.0)
        return {"critic": critic_loss, "distance": distance}

    def validate(self, context: Any) -> dict[str, float]:
        errors = [
            float(((context["generator"](b["x"]) - b["y"]) ** 2).mean())
            for b in self.batches("validation")
        ]
        return {"error": sum(errors) / len(errors)}

    def samples(self, context: Any) -> Samples:
        x = torch.linspace(-1, 1, 160)[:, None]
        return Samples(waveforms={"curve": context["generator"](x)[:, 0].numpy()})


def weights_of(trainer: Any) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value.clone()
        for name, network in trainer.context.plain.items()
        for key, value in network.state_dict().items()
    }
