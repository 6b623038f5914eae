"""Train a close-up of mouth or eyes: where pixels come from, window by window.

    python -m facevox.recipes.close_up_pictures --data ../shared/data --out CLOSE_UPS
    facevox train close-up --data CLOSE_UPS -o MOUTH
    facevox train close-up --data CLOSE_UPS -o EYES --preset eyes

What comes out, `close_up_mouth.safetensors`, belongs beside `talking_head.safetensors`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import save_checkpoint
from facevox.data.close_ups import CloseUpSampler
from facevox.models.face.ttsf.close_up import (
    CloseUp,
    CloseUpConfig,
    CloseUpFields,
    compose,
    second_share,
    tiny,
)
from facevox.recipes.face_losses import pyramid_loss
from facevox.training.batches import DrawnBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.settings import RunSettings, Settings, TaskSettings
from facevox.training.task import Batches, Samples, Task

_LEVELS, _SHOWN, _HELD = 3, 12, 2
_SMALL = 2000
_LAST_SHARE = 0.01
_EXPLAINED, _STEEP = 0.05, 8.0
"""From which error on [-1, 1] a pixel is not the photo's own, and how fast that is so."""


class LossSettings(Settings):
    """Weights of the losses.

    Attributes:
        picture: L1 of the windows at several sizes, and of their gradients.
        flow: Distance to the renderer's flow, where the photo shows what is seen.
        share: Whether the right picture of the two is taken.
    """

    picture: float = Field(default=1.0, ge=0)
    flow: float = Field(default=2.0, ge=0)
    share: float = Field(default=0.1, ge=0)


class OptimSettings(Settings):
    """Adam with a rate that rises, then falls like a cosine to a hundredth."""

    rate: float = Field(default=2e-3, gt=0)
    warm_up: int = Field(default=50, ge=1)


class DataSettings(Settings):
    """What the batches are made of.

    Attributes:
        batch: Windows in a batch.
        side: Pixels of their pictures; the fields are enlarged to it.
    """

    batch: int = Field(default=16, ge=1)
    side: int = Field(default=96, ge=16)


class CloseUpSettings(TaskSettings):
    """All settings of the recipe."""

    model: CloseUpConfig = CloseUpConfig()
    loss: LossSettings = LossSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=6000, clip=1.0, ema=0.998)


class CloseUpTask(Task):
    """The photo at rest and a second picture of it to what a region does."""

    name = "close-up"
    data_hint = "python -m facevox.recipes.close_up_pictures makes it"
    Config = CloseUpSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {},
        "eyes": {"model": {"region": "eyes"}},
        "tiny": {
            "model": tiny().model_dump(),
            "data": {"batch": 4, "side": 32},
            "run": {"steps": 4, "precision": "32-true"},
        },
    }
    averaged = ("close_up",)
    best = "picture"

    def networks(self) -> dict[str, nn.Module]:
        """Make the network."""
        network = CloseUp(self.config.model)
        return {"close_up": network.to(memory_format=torch.channels_last)}  # type: ignore[call-overload]

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make Adam."""
        return {"close_up": Adam(networks["close_up"].parameters(), self.config.optim.rate)}

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Let the rate rise, then fall."""
        return rise_and_fall(
            optimizers,
            warm_up=self.config.optim.warm_up,
            steps=self.run.steps,
            last_share=_LAST_SHARE,
        )

    def batches(self, split: str) -> Batches:
        """Draw windows.

        Raises:
            DataError: If the folder holds no close-ups.
        """
        data = self.config.data
        sampler = CloseUpSampler(
            self.data, self.config.model.region, side=data.side, held=split != "train"
        )
        return DrawnBatches(
            lambda generator: sampler.draw(data.batch, generator), seed=self.run.seed, epoch=1000
        )

    def step(self, context: Context, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        """Make windows and compare them with the renderer's."""
        losses = self.losses(self._fields(context, batch), batch)
        weights = self.config.loss
        context.backward(
            torch.stack([getattr(weights, name) * loss for name, loss in losses.items()]).sum()
        )
        context.update("close_up")
        return {name: loss.detach() for name, loss in losses.items()}

    def losses(self, fields: CloseUpFields, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return all losses."""
        made = compose(fields, batch["first"], batch["second"])
        target, side = batch["target"], fields.first.shape[-1]
        flow = functional.interpolate(batch["flow"], (side, side), mode="bilinear")
        small = {name: _resized(batch[name], side) for name in ("first", "second", "target")}
        known = CloseUpFields(
            first=flow,
            second=fields.second.detach(),
            share=torch.full_like(fields.share, -100.0),
            tint=torch.zeros_like(fields.tint),
        )
        error = compose(known, small["first"], small["second"]) - small["target"]
        missing = ((error.abs().mean(1, True) - _EXPLAINED) * _STEEP).clamp(0, 1)
        away = (fields.first - flow).abs().sum(1, keepdim=True)
        everywhere = torch.ones_like(target[:1, :1])
        return {
            "picture": pyramid_loss(made, target, everywhere, _LEVELS),
            "flow": ((1 - missing) * away).mean(),
            "share": (second_share(fields.share) - missing).abs().mean(),
        }

    def validate(self, context: Context) -> dict[str, float]:
        """Measure held-out people: L1 of made windows, and of the photo at rest."""
        batch = self._held(context)
        fields = self._fields(context, batch)
        made = compose(fields, batch["first"], batch["second"])
        return {
            "picture": float((made - batch["target"]).abs().mean()),
            "copied": float((batch["first"] - batch["target"]).abs().mean()),
            "flow": float(self.losses(fields, batch)["flow"]),
        }

    def samples(self, context: Context) -> Samples:
        """Show both pictures of held-out people, what was made, the real one, and the share."""
        batch = {name: value[:_SHOWN] for name, value in self._held(context).items()}
        fields = self._fields(context, batch)
        made = compose(fields, batch["first"], batch["second"])
        share = functional.interpolate(second_share(fields.share), made.shape[-2:])
        rows = [batch["first"], batch["second"], made, batch["target"]]
        rows.append(share.expand(-1, 3, -1, -1) * 2 - 1)
        shown = torch.cat([torch.cat(list(row.clamp(-1, 1)), -1) for row in rows], -2)
        pixels = ((shown.permute(1, 2, 0).float().cpu().numpy() + 1) * 127.5).astype(np.uint8)
        return Samples(pictures={"first-second-made-real-share": pixels})

    def describe_data(self) -> dict[str, Any]:
        """Return the photos and people."""
        sampler = CloseUpSampler(self.data, self.config.model.region, side=self.config.data.side)
        return {"data": sampler.description}

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `close_up_REGION.safetensors`."""
        network = networks["close_up"]
        assert isinstance(network, CloseUp)
        changed = {
            **card,
            "kind": "close-up",
            "config": network.config.model_dump(mode="json"),
            "settings": card["config"],
        }
        state = {
            name: value.half() if value.numel() > _SMALL else value
            for name, value in network.state_dict().items()
        }
        return [
            save_checkpoint(
                folder / f"close_up_{network.config.region}.safetensors", state, changed
            )
        ]

    def _fields(self, context: Context, batch: Mapping[str, Tensor]) -> CloseUpFields:
        side = self.config.model.side
        first, second = (_resized(batch[name], side) for name in ("first", "second"))
        return context["close_up"](first, second, batch["numbers"])

    def _held(self, context: Context) -> dict[str, Tensor]:
        sampler = CloseUpSampler(
            self.data, self.config.model.region, side=self.config.data.side, held=True
        )
        return {n: value.to(context.device) for n, value in sampler.of_each(_HELD).items()}


def _resized(pictures: Tensor, side: int) -> Tensor:
    return functional.interpolate(
        pictures, (side, side), mode="bilinear", align_corners=False, antialias=True
    )
