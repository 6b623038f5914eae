"""Stage S0 of the talking face: the generator learns faces, motion and lips from pictures.

    python -m facevox.recipes.acted_portraits --data ../shared/data --out FACES
    facevox train ttsf-warmup --data FACES -o HALF --preset small-128
    facevox train ttsf-warmup --data FACES -o S0 --set model.grow_from=HALF/export
    python -m facevox.recipes.mouth_fields --head S0/export --data DATA --faces FACES -o S0F
    facevox train ttsf-warmup --data FACES -o S0T --set model.start_from=S0F

What comes out, `generator.safetensors`, is what the stages S2 (`matcha` with
`model.condition=face`) and S3 (`ttsf`) begin with.

Reference:
    Wang et al., Latent image animator, ICLR 2022; Jang et al., Faces that Speak, CVPR 2024,
    sections 3.2 and 3.4.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import load_module, save_checkpoint
from facevox.core.errors import ConfigError
from facevox.data.face_pairs import MEAN_FLOW
from facevox.data.pair_sampler import PairSampler, held_pairs
from facevox.models.face.lia.config import paper as paper_generator
from facevox.models.face.lia.config import small
from facevox.models.face.lia.discriminator import Discriminator
from facevox.models.face.ttsf.talking_head import tiny as tiny_head
from facevox.nn.adversarial import discriminator_loss, generator_loss
from facevox.recipes.face_losses import (
    MOUTH_SPOT,
    JudgedLosses,
    contrast_loss,
    control_loss,
    cover_loss,
    flow_loss,
    pyramid_loss,
    trait_loss,
    weight_map,
)
from facevox.recipes.growing import fit_first_block, grow, load_config, load_generator
from facevox.recipes.head_parts import PARTS
from facevox.recipes.warm_up_network import WarmUpNetwork, fill_mean_flow
from facevox.recipes.warm_up_settings import WarmUpSettings
from facevox.training.batches import DrawnBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.task import Batches, Samples, Task

_FIELD_RATE = 0.1
_SHOWN, _GROUP = 4, 4


class WarmUpTask(Task):
    """Pictures of one person to one another."""

    name = "ttsf-warmup"
    data_hint = "python -m facevox.recipes.acted_portraits makes it"
    Config = WarmUpSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {},
        "small-128": {
            "model": {"generator": small(128).model_dump()},
            "data": {"batch": 16},
        },
        "paper": {
            "model": {"generator": paper_generator().model_dump(), "lips": False},
            "loss": {
                **{"levels": 1, "painted": 0.0, "controls": 0.0, "contrast": 0.0},
                **{"traits": 0.0, "flow": 0.0, "mask": 0.0, "cover": 0.0, "adversarial": 1.0},
                "weighted": False,
            },
            "judged": {"vgg": 50.0, "vgg_scales": 4, "identity": 0.3},
            "optim": {"warm_up": 1, "last_share": 1.0, "betas": (0.0, 0.99)},
            "data": {"batch": 32, "real_share": 1.0, "same_share": 1.0, "drivers": None},
            "run": {"steps": 200_000, "clip": None, "ema": 0.999},
        },
        "tiny": {
            "model": {"generator": tiny_head().generator.model_dump()},
            "data": {"batch": 4},
            "run": {"steps": 4, "precision": "32-true"},
        },
    }
    averaged = ("face",)
    exported = ("face",)
    best = "picture"
    unused_parameters = True

    def networks(self) -> dict[str, nn.Module]:
        """Make the generator with what trains it, and a discriminator if it is used.

        Raises:
            ConfigError: If it cannot begin with the given one, or a judge is missing that must
                be here.
            CheckpointError: If the given one cannot be read.
        """
        settings = self.config
        face = WarmUpNetwork(settings, half=self.run.precision == "bf16-mixed")
        side = settings.model.generator.size
        self.judged = JudgedLosses(settings.judged)
        self.weight_map = weight_map(side) if settings.loss.weighted else torch.ones(1, 1, 1, 1)
        self.weight_map = self.weight_map.expand(1, 1, side, side)
        if settings.model.grow_from is not None:
            self._grow(face, Path(settings.model.grow_from))
        elif settings.model.start_from is not None:
            start(face, Path(settings.model.start_from))
        elif settings.model.generator.mean_flow and (self.data / MEAN_FLOW).exists():
            fill_mean_flow(face.generator, self.data / MEAN_FLOW)
        face.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if settings.model.compiled:
            face.compile()
        made: dict[str, nn.Module] = {"face": face}
        if settings.loss.adversarial > 0:
            group = math.gcd(_GROUP, settings.data.batch)
            made["discriminator"] = Discriminator(settings.model.generator, group)
        return made

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make one Adam for each network."""
        optim = self.config.optim
        made: dict[str, Optimizer] = {}
        for name, network in networks.items():
            own = dict(network.named_parameters())
            fields = [own.pop(place) for place in tuple(own) if "mean_flow." in place]
            groups: list[dict[str, Any]] = [{"params": list(own.values())}]
            if fields:
                groups.append({"params": fields, "lr": _FIELD_RATE * optim.rate})
            made[name] = Adam(groups, optim.rate, betas=optim.betas)
        return made

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Let the rates rise for some steps and fall like a cosine to the end."""
        return rise_and_fall(
            optimizers,
            warm_up=self.config.optim.warm_up,
            steps=self.run.steps,
            last_share=self.config.optim.last_share,
        )

    def batches(self, split: str) -> Batches:
        """Draw pairs; for validation take the held-out people's.

        Raises:
            DataError: If the folder does not hold acted portraits.
        """
        side, data = self.config.model.generator.size, self.config.data
        if split != "train":
            return _Listed(held_pairs(self.data, side))
        sampler = self._sampler()
        return DrawnBatches(
            lambda generator: sampler.draw(data.batch, generator),
            seed=self.run.seed,
            epoch=data.epoch,
        )

    def step(self, context: Context, batch: dict[str, Tensor]) -> dict[str, float | Tensor]:
        """Make the target out of the source, teach the discriminator, then the generator."""
        weights = self.config.loss
        real = batch["target"]
        made = self._made(context, batch)
        losses = self.losses(made, batch)
        total = torch.stack([self.weight_of(n) * loss for n, loss in losses.items()]).sum()
        if weights.adversarial > 0:
            judge = context["discriminator"]
            taught = discriminator_loss(judge(real), judge(made["picture"].detach()))
            context.backward(taught)
            context.update("discriminator")
            with context.frozen("discriminator"):
                losses["adversarial"] = generator_loss(judge(made["picture"]))
                context.backward(total + weights.adversarial * losses["adversarial"])
            losses["discriminator"] = taught
        else:
            context.backward(total)
        context.update("face")
        return {name: loss.detach() for name, loss in losses.items()}

    def losses(self, made: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses whose weight is not 0, but for the adversarial one."""
        weights, real = self.config.loss, batch["target"]
        where = self.weight_map.to(real)
        losses: dict[str, Tensor] = {}
        if weights.picture > 0:
            losses["picture"] = pyramid_loss(made["picture"], real, where, weights.levels)
        if weights.painted > 0:
            levels = max(1, weights.levels - 1)
            inner = weight_map(real.shape[-1], MOUTH_SPOT).to(real) if weights.weighted else where
            losses["painted"] = pyramid_loss(made["painted"], real, inner, levels)
        if weights.controls > 0:
            losses["controls"] = control_loss(made, batch["known"])
        if weights.contrast > 0:
            losses["contrast"] = contrast_loss(made["first"], made["second"], batch["person"])
        if weights.traits > 0:
            losses["traits"] = trait_loss(made["traits"], batch["traits"])
        if weights.flow > 0:
            losses["flow"] = flow_loss(
                made["flow"], batch["flow"], batch["flow_known"], batch["source"], real, where
            )
        if weights.cover > 0:
            losses["cover"] = cover_loss(
                made["mask"], batch["flow"], batch["flow_known"], batch["source"], real
            )
        if weights.mask > 0:
            losses["mask"] = (1 - made["mask"]).mean()
        return losses | self.judged(made["picture"], real)

    def weight_of(self, name: str) -> float:
        """Return the weight of a loss."""
        settings = self.config.judged if name in ("vgg", "identity") else self.config.loss
        return float(getattr(settings, name))

    def validate(self, context: Context) -> dict[str, float]:
        """Measure held-out people: L1 of pictures moved by drivers, by numbers, and not at all."""
        rows: list[dict[str, float]] = []
        for batch in self._held(context):
            shown = {"picture": self._made(context, batch)["picture"], "copied": batch["source"]}
            if self.config.loss.controls > 0:
                numbers = {**batch, "driver": batch["driver"][:0]}
                shown["told"] = self._made(context, numbers)["picture"]
            where, real = self.weight_map.to(batch["target"]), batch["target"]
            rows.append({k: float((where * (p - real).abs()).mean()) for k, p in shown.items()})
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def samples(self, context: Context) -> Samples:
        """Show source, target and what was made, for some held-out people."""
        pictures = {}
        for number, batch in enumerate(self._held(context)[:_SHOWN]):
            made = self._made(context, batch)
            rows = [torch.cat(list(made["picture"][:_SHOWN].clamp(-1, 1)), -1)]
            rows += [torch.cat(list(batch[name][:_SHOWN]), -1) for name in ("target", "source")]
            shown = torch.cat(rows, -2).permute(1, 2, 0).float().cpu().numpy()
            pictures[f"{number}-made-target-source"] = ((shown + 1) * 127.5).astype(np.uint8)
        return Samples(pictures=pictures)

    def describe_data(self) -> dict[str, Any]:
        """Return the people and the pictures."""
        return {"data": self._sampler().description}

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `generator.safetensors`, and what stands beside it in `TalkingHead`.

        `mouth` makes f_lip of the numbers of a mouth, `motion` motions of those of head, eyes
        and expression, and `seen` reads off the identity how a face is seen.
        """
        face = networks["face"]
        assert isinstance(face, WarmUpNetwork)
        sizes = self.config.model.generator.model_dump(mode="json")
        changed = {**card, "config": sizes, "settings": card["config"]}
        parts = {name: getattr(face, name) for name in PARTS}
        return [
            save_checkpoint(
                folder / f"{name}.safetensors",
                network.state_dict(),
                {**changed, "kind": f"face-{name}"},
            )
            for name, network in parts.items()
            if network is not None
        ]

    def _made(self, context: Context, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        names = ("source", "driver", "mouth", "change", "place")
        return context["face"](*(batch[name] for name in names))

    def _sampler(self) -> PairSampler:
        data = self.config.data
        return PairSampler(
            self.data,
            side=self.config.model.generator.size,
            real_share=data.real_share,
            rest_share=data.rest_share,
            same_share=data.same_share,
            drivers=data.drivers if self.config.loss.controls > 0 else None,
        )

    def _held(self, context: Context) -> list[dict[str, Tensor]]:
        batches = self.batches("validation")
        rows = (batches[number] for number in range(len(batches)))
        return [{name: value.to(context.device) for name, value in row.items()} for row in rows]

    def _grow(self, face: WarmUpNetwork, folder: Path) -> None:
        network = face.generator
        before = load_generator(folder / "generator.safetensors")
        grow(before, network)
        for name in PARTS[1:]:
            part, path = getattr(face, name), folder / f"{name}.safetensors"
            if part is not None and path.exists():
                load_module(part, path)
        sampler, seed = self._sampler(), self.run.seed
        fit_first_block(
            before,
            network,
            lambda step: sampler.draw(4, np.random.default_rng([seed, 2, step]))["source"],
            self.config.model.growing_steps,
        )


def start(face: WarmUpNetwork, folder: Path) -> None:
    """Fill all that a network has of `PARTS` with an export of the same size.

    Raises:
        ConfigError: If its generator has other sizes.
        CheckpointError: If a part is absent, damaged or does not fit.
    """
    path = folder / "generator.safetensors"
    wanted, found = face.generator.config, load_config(path)
    if found != wanted:
        other = [n for n, value in wanted.model_dump().items() if getattr(found, n) != value]
        raise ConfigError(
            f"{path} differs in {', '.join(other)}; give model.generator its sizes to start "
            "from it."
        )
    for name in PARTS:
        part = getattr(face, name)
        if part is not None:
            load_module(part, folder / f"{name}.safetensors")


class _Listed:
    """Batches that are there already."""

    def __init__(self, batches: list[dict[str, Tensor]]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """Return batch `number`."""
        return self._batches[number % len(self._batches)]
