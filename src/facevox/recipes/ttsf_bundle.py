"""Make one talking head of the parts that the stages trained.

    python -m facevox.recipes.ttsf_bundle --head S0I --lips LIPS/export --motion MOTION/export \
        -o FOLDER

`FOLDER/talking_head.safetensors` is what `facevox speak --weights FOLDER` reads.  Lips and
motion were learnt in numbers (`models/face/ttsf/codes.py`); all links to f_lip and alpha are
linear, so their first and last layers are multiplied out to these features.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from pydantic import BaseModel, ValidationError
from torch import Tensor

from facevox.core.checkpoint import load_card, load_checkpoint, load_module, save_checkpoint
from facevox.core.errors import CheckpointError
from facevox.core.files import make_folder
from facevox.models.face.ttsf.audio_mapper import AudioMapper, AudioMapperConfig
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS, OTHER_NUMBERS, MotionCode, MouthCode
from facevox.models.face.ttsf.motion_sampler import MotionSampler
from facevox.models.face.ttsf.sampler_config import MotionSamplerConfig
from facevox.models.face.ttsf.talking_head import TalkingHead, TalkingHeadConfig
from facevox.recipes.growing import load_config
from facevox.recipes.head_parts import LEFTOVER, PARTS, part_path

LIPS, MOTION, HEAD = "lips", "motion_sampler", "talking_head"
"""Names of the checkpoints."""

PURPOSE = (
    "The talking face of ttsf: view of a face -> identity, motion, feature maps; features -> "
    "pictures; speech features -> lips; noise -> head motion."
)
_TOLD = ("data", "licence", "command", "date", "hardware", "steps", "hours", "results")
_SMALL = 2000
"""Tensors with fewer numbers stay in single precision."""


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """A network that speaks in numbers.

    Attributes:
        config: Its sizes.
        state: Its tensors.
        scale: What the numbers that it makes are multiplied by.
        lips_scale: What those of the mouth that it is given are multiplied by; None if the
            network is not given any, or does not say.
    """

    config: Any
    state: dict[str, Tensor]
    scale: Float[Tensor, " 9"]
    lips_scale: Float[Tensor, " 9"] | None = None


def mapper_to_features(
    state: Mapping[str, Tensor], mouth: MouthCode, scale: Float[Tensor, " 9"]
) -> dict[str, Tensor]:
    """Return the tensors of an audio mapper that makes f_lip in place of numbers.

    Args:
        state: Of the mapper of numbers.
        mouth: Numbers to f_lip.
        scale: Factors that its numbers carry.
    """
    linear = mouth.linear.weight.double() / (mouth.units * scale).double()
    weight, bias = state["out.weight"].double(), state["out.bias"].double()
    made = {
        "out.weight": torch.einsum("sn,nik->sik", linear, weight),
        "out.bias": linear @ bias + mouth.linear.bias,
    }
    return {**state, **{name: value.float() for name, value in made.items()}}


def sampler_to_features(
    state: Mapping[str, Tensor],
    mouth: MouthCode,
    motion: MotionCode,
    scales: tuple[Float[Tensor, " 9"], Float[Tensor, " 9"]],
    directions: Float[Tensor, "style motion"],
) -> dict[str, Tensor]:
    """Return the tensors of a motion sampler of f_m and f_lip in place of numbers.

    Args:
        state: Of the sampler of numbers.
        mouth: Numbers to f_lip.
        motion: Numbers to alpha.
        scales: Factors on the numbers of the mouth that it is given, and on its own.
        directions: Orthonormal columns Q of the motion dictionary.
    """
    lips, others = (scale.double() for scale in scales)
    code = motion.weight.double()
    read = torch.linalg.pinv(code) * others
    told = code / others[:, None]
    heard = (mouth.units * lips)[:, None] * torch.linalg.pinv(mouth.linear.weight.double())
    old = {name: value.double() for name, value in state.items() if value.is_floating_point()}
    lip_weight = old["prior.lips.weight"] @ heard
    encoder, decoder = "normaliser.encoder.0", "normaliser.decoder.2"
    made = {
        f"{encoder}.weight": torch.einsum("onk,an->oak", old[f"{encoder}.weight"], read),
        f"{decoder}.weight": torch.einsum("na,nik->aik", told, old[f"{decoder}.weight"]),
        f"{decoder}.bias": old[f"{decoder}.bias"] @ told,
        "prior.first.weight": old["prior.first.weight"] @ (directions.double() @ read).T,
        "prior.lips.weight": lip_weight,
        "prior.lips.bias": old["prior.lips.bias"] - lip_weight @ mouth.linear.bias.double(),
    }
    return {**state, **{name: value.float() for name, value in made.items()}}


@torch.no_grad()
def bundle(head: Path, lips: Path, motion: Path) -> TalkingHead:
    """Return the talking head that parts make.

    Args:
        head: Folder of generator, codes and what reads the identity.
        lips: Folder of the mapper of numbers.
        motion: Folder of the sampler of numbers.

    Raises:
        CheckpointError: If a part is absent, damaged or does not fit the others.
    """
    sizes = load_config(part_path(head, PARTS[0]))
    mapper = load_numbered(lips, LIPS, AudioMapperConfig)
    sampler = load_numbered(motion, MOTION, MotionSamplerConfig)
    wide = {"style_dim": sizes.style_dim, "motion_dim": sizes.motion_dim}
    config = TalkingHeadConfig(
        generator=sizes,
        mapper=mapper.config.model_copy(update={"out_dim": sizes.style_dim}),
        sampler=sampler.config.model_copy(update=wide),
    )
    made = TalkingHead(config).eval()
    for name in PARTS:
        load_module(getattr(made, name), part_path(head, name))
    path = part_path(head, LEFTOVER)
    if path.exists():
        shape = {LEFTOVER: tuple(made.leftover.shape)}
        made.leftover.copy_(torch.from_numpy(load_checkpoint(path, shape)[LEFTOVER]))
    made.mapper.load_state_dict(mapper_to_features(mapper.state, made.mouth, mapper.scale))
    told = mapper.scale if sampler.lips_scale is None else sampler.lips_scale
    directions = made.generator.extractor.dictionary.directions()
    state = sampler_to_features(
        sampler.state, made.mouth, made.motion, (told, sampler.scale), directions
    )
    made.sampler.load_state_dict(state)
    return made.requires_grad_(False)


def load_numbered(folder: Path, name: str, kind: type[BaseModel]) -> Numbered:
    """Return a network that speaks in numbers, from `NAME.safetensors` and its card.

    Args:
        folder: Where both are.
        name: `LIPS` or `MOTION`.
        kind: Class of its sizes.

    Raises:
        CheckpointError: If it is absent, damaged, does not fit its card or makes something else.
    """
    path = part_path(folder, name)
    card = load_card(path)
    try:
        config = kind.model_validate(card["config"])
    except (KeyError, ValidationError) as error:
        raise CheckpointError(f"The card of {path} does not fit: {error!r}.") from error
    network: AudioMapper | MotionSampler
    if isinstance(config, AudioMapperConfig):
        network, numbers = AudioMapper(config), {"out_dim": MOUTH_NUMBERS}
    else:
        assert isinstance(config, MotionSamplerConfig)
        network = MotionSampler(config)
        numbers = {"style_dim": MOUTH_NUMBERS, "motion_dim": OTHER_NUMBERS}
    found = {field: getattr(config, field) for field in numbers}
    if found != numbers:
        raise CheckpointError(f"{path} must speak in numbers, {numbers}; its card has {found}.")
    load_module(network, path)
    return Numbered(
        config=config,
        state=network.state_dict(),
        scale=_scale(card, "scale", path),
        lips_scale=_scale(card, "lips_scale", path) if "lips_scale" in card else None,
    )


def card_of(parts: Mapping[str, Mapping[str, Any]], config: TalkingHeadConfig) -> dict[str, Any]:
    """Return the card of a bundle: its sizes, and what the cards of its parts tell.

    Args:
        parts: Cards by name.
        config: Sizes of all parts.
    """
    told = {name: {key: card[key] for key in _TOLD if key in card} for name, card in parts.items()}
    hours = [float(card["hours"]) for card in told.values() if "hours" in card]
    return {
        "kind": HEAD,
        "config": config.model_dump(mode="json"),
        "purpose": PURPOSE,
        "data": "; ".join(_different(told, "data")),
        "licence": " and ".join(_different(told, "licence")) or "unknown",
        "command": "python -m facevox.recipes.ttsf_bundle --head HEAD --lips LIPS --motion MOTION",
        "date": date.today().isoformat(),
        "hours": round(sum(hours), 3),
        "results": {name: card["results"] for name, card in told.items() if "results" in card},
        "parts": told,
    }


def write_bundle(
    head: Path, lips: Path, motion: Path, out: Path, say: Callable[[str], None]
) -> Path:
    """Write the bundle and its card; large tensors in half precision.

    Args:
        head: Folder of generator, codes and what reads the identity.
        lips: Folder of the mapper of numbers.
        motion: Folder of the sampler of numbers.
        out: Folder for the bundle.
        say: Told what was written.

    Raises:
        CheckpointError: If a part is absent, damaged or does not fit the others.
        MediaError: If it cannot be written.
    """
    made = bundle(head, lips, motion)
    found = {PARTS[0]: part_path(head, PARTS[0]), LEFTOVER: part_path(head, LEFTOVER)}
    found |= {LIPS: part_path(lips, LIPS), MOTION: part_path(motion, MOTION)}
    cards = {name: load_card(path) for name, path in found.items() if path.exists()}
    state = {name: _rounded(value) for name, value in made.state_dict().items()}
    path = save_checkpoint(part_path(make_folder(out), HEAD), state, card_of(cards, made.config))
    say(f"{path}: {made.num_parameters / 1e6:.1f} M numbers, {path.stat().st_size / 1e6:.1f} MB")
    return path


def _scale(card: Mapping[str, Any], name: str, path: Path) -> Float[Tensor, " 9"]:
    try:
        scale = torch.tensor([float(factor) for factor in card[name]])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The card of {path} has no list {name!r} ({error!r}).") from error
    if len(scale) != MOUTH_NUMBERS or not bool((scale.isfinite() & (scale != 0)).all()):
        raise CheckpointError(
            f"{name!r} in the card of {path} must be {MOUTH_NUMBERS} factors that are not 0, "
            f"got {card[name]}."
        )
    return scale


def _rounded(values: Tensor) -> Tensor:
    return values.half() if values.is_floating_point() and values.numel() >= _SMALL else values


def _different(cards: Mapping[str, Mapping[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(str(card[key]) for card in cards.values() if key in card))


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Make one talking head of its parts.")
    parser.add_argument("--head", type=Path, required=True, help="folder of generator and codes")
    parser.add_argument("--lips", type=Path, required=True, help="folder of lips.safetensors")
    parser.add_argument(
        "--motion", type=Path, required=True, help="folder of motion_sampler.safetensors"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the bundle")
    arguments = parser.parse_args()
    write_bundle(arguments.head, arguments.lips, arguments.motion, arguments.output, print)


if __name__ == "__main__":
    main()
