"""A face generator of twice the size that begins with what a smaller one knows.

Half the size costs a quarter: most of the training is done there.  Coarse layers keep their
weights; the finest scale starts as what is upsampled to it; the encoder's new first block
learns, in some steps, to give what the old first layer gave of the halved picture.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional

from facevox.core.checkpoint import load_card, load_module
from facevox.core.errors import CheckpointError, ConfigError
from facevox.models.face.lia.config import GeneratorConfig
from facevox.models.face.lia.generator import FaceGenerator

_RATE = 5e-3
_FADE = 0.1


def load_generator(path: Path) -> FaceGenerator:
    """Return the generator of an exported checkpoint.

    Args:
        path: `generator.safetensors`, its card beside it.

    Raises:
        CheckpointError: If it is absent, damaged or does not fit its card.
    """
    network = FaceGenerator(load_config(path))
    load_module(network, path)
    return network


def load_config(path: Path) -> GeneratorConfig:
    """Return the sizes that the card of a generator states.

    Raises:
        CheckpointError: If they are absent or make no sense.
    """
    try:
        return GeneratorConfig.model_validate(load_card(path)["config"])
    except (KeyError, ValidationError) as error:
        raise CheckpointError(f"The card of {path} does not fit: {error!r}.") from error


def grow(small: FaceGenerator, large: FaceGenerator) -> None:
    """Fill a generator with the weights of one of half its size; the first block stays new.

    Raises:
        ConfigError: If it is not twice as large, or differs otherwise.
    """
    sides = {side: width for side, width in large.config.channels.items() if side in
             small.config.channels}  # fmt: skip
    expected = large.config.model_copy(update={"size": large.config.size // 2, "channels": sides})
    if expected != small.config:
        raise ConfigError(
            f"A generator of {large.config.size} px grows from one of "
            f"{large.config.size // 2} px that is alike otherwise; the given one has "
            f"{small.config.size} px, content {small.config.content!r} and channels "
            f"{small.config.channels}."
        )
    state = large.state_dict()
    for name, value in small.state_dict().items():
        if name.startswith("encoder.stem."):
            continue
        state[_place(name)] = value
    last = len(large.synthesis.flows) - 1
    state[f"synthesis.flows.{last}.bias"].zero_()
    state[f"synthesis.flows.{last}.conv.weight"].zero_()
    state[f"synthesis.colours.{last}.conv.weight"].mul_(_FADE)
    large.load_state_dict(state)


def fit_first_block(
    small: FaceGenerator, large: FaceGenerator, pictures: Callable[[int], Tensor], steps: int
) -> float:
    """Teach the new first block what the old first layer gives; return the relative error.

    Args:
        small: Knows.
        large: Learns, in its `stem` and its first block only.
        pictures: Step -> (batch, 3, side, side) of the larger side.
        steps: How many; 0 leaves the block random.
    """
    stem, block = large.encoder.stem, large.encoder.blocks[0]
    learnt = [*stem.parameters(), *block.parameters()]
    optimizer = torch.optim.Adam(learnt, lr=_RATE, betas=(0.5, 0.99))
    error = torch.ones(())
    for step in range(steps):
        shown = pictures(step)
        with torch.no_grad():
            wanted = small.encoder.stem(functional.avg_pool2d(shown, 2))
        made = block(stem(shown))
        error = (made - wanted).square().mean() / wanted.square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    optimizer.zero_grad()
    return float(error.detach())


def _place(name: str) -> str:
    """Return where a tensor of the smaller encoder lies in the larger one."""
    head = "encoder.blocks."
    if not name.startswith(head):
        return name
    number, _, rest = name.removeprefix(head).partition(".")
    return f"{head}{int(number) + 1}.{rest}"
