"""LIA's published checkpoints: `{"gen", "dis", "g_optim", "d_optim", "args"}`.

Every name is accounted for: weights are mapped onto ours, filters are checked to be the one
that our layers compute, and what the published forward pass never reads (noise, the colours of
the 4 px map) is required and dropped.

Reference:
    Wang, Yang, Bremond and Dantcheva, Latent image animator, ICLR 2022.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from facevox.core.errors import CheckpointError, ConfigError
from facevox.core.state_dict import check_layout, load_strictly, read_state_dict
from facevox.models.face.lia.config import GeneratorConfig, paper
from facevox.models.face.lia.discriminator import Discriminator
from facevox.models.face.lia.generator import FaceGenerator
from facevox.nn.resampling import kernel

_SHOWN = 5
_NOISE = (1,)
_PLANE = (1, 3, 1, 1)


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where each published name goes.

    Attributes:
        names: Published name -> our name.
        filters: Published name -> sum of the taps.
        unused: Published name -> shape.
    """

    names: dict[str, str]
    filters: dict[str, float]
    unused: dict[str, tuple[int, ...]]


def load_official(path: Path, config: GeneratorConfig | None = None) -> FaceGenerator:
    """Return the published generator with the weights of a `.pt` file.

    Optimisers and settings beside the weights are neither used nor run.

    Args:
        path: The file.
        config: Sizes; None tells 256 from 512 px by the file.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    state = read_state_dict(path, shells=True, part="gen")
    if config is None:
        config = paper(512 if "dec.to_flows.6.bias" in state else 256)
    model = FaceGenerator(config)
    _load(model, generator_layout(config), state, path.name)
    return model


def load_official_discriminator(path: Path, config: GeneratorConfig | None = None) -> Discriminator:
    """Return the discriminator of a published file, to go on training.

    Args:
        path: The file.
        config: Sizes; None tells 256 from 512 px by the file.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    state = read_state_dict(path, shells=True, part="dis")
    if config is None:
        config = paper(512 if "convs.7.conv1.0.weight" in state else 256)
    model = Discriminator(config)
    _load(model, discriminator_layout(config), state, path.name)
    return model


def to_official(model: FaceGenerator | Discriminator, config: GeneratorConfig) -> dict[str, Tensor]:
    """Return a network's weights under the published names; unused ones are zero.

    Args:
        model: The network.
        config: Its sizes.

    Raises:
        ConfigError: If the network is not of the published form.
    """
    known = isinstance(model, FaceGenerator)
    layout = generator_layout(config) if known else discriminator_layout(config)
    ours = model.state_dict()
    device = next(model.parameters()).device
    state = {name: _as_published(name, ours[own]) for name, own in layout.names.items()}
    state |= {name: kernel(gain).to(device) for name, gain in layout.filters.items()}
    return state | {n: torch.zeros(shape, device=device) for n, shape in layout.unused.items()}


def generator_layout(config: GeneratorConfig) -> _Layout:
    """Return the layout of "gen".

    Raises:
        ConfigError: If the configuration is not of the published form.
    """
    if config.content != "warped" or config.pixel_skip or config.fusion == "project":
        raise ConfigError(
            "Published checkpoints have content 'warped', no pixel skip and a fusion without "
            f"weights; got {config.content!r}, {config.pixel_skip} and {config.fusion!r}."
        )
    scales = len(config.sides) - 1
    names, filters = _trunk("enc.net_app.convs", "encoder", scales)
    names[f"enc.net_app.convs.{scales + 1}.weight"] = "encoder.head.weight"
    for i in range(5):
        names |= _both(f"enc.fc.{i}", f"extractor.layers.{i}")
    names["dec.direction.weight"] = "extractor.dictionary.weight"
    names["dec.input.input"] = "synthesis.constant"
    names |= dict(_styled("dec.conv1", "synthesis.first"))
    unused: dict[str, tuple[int, ...]] = {
        "dec.conv1.noise.weight": _NOISE,
        "dec.to_rgb1.conv.0.weight": (3, config.channels[4], 1, 1),
        "dec.to_rgb1.conv.1.bias": _PLANE,
        "dec.to_rgb1.bias": _PLANE,
    }
    for i in range(2 * scales):
        names |= dict(_styled(f"dec.convs.{i}", f"synthesis.convs.{i}"))
        unused[f"dec.convs.{i}.noise.weight"] = _NOISE
        if i % 2 == 0:
            filters[f"dec.convs.{i}.conv.blur.kernel"] = 4.0
    for i in range(scales):
        names |= dict(_heads(i))
        filters[f"dec.to_rgbs.{i}.upsample.kernel"] = 4.0
        filters[f"dec.to_flows.{i}.upsample.kernel"] = 4.0
    return _Layout(names=names, filters=filters, unused=unused)


def discriminator_layout(config: GeneratorConfig) -> _Layout:
    """Return the layout of "dis", that of StyleGAN2's residual discriminator."""
    names, filters = _trunk("convs", "", len(config.sides) - 1)
    names |= {"final_conv.0.weight": "last.conv.weight"}
    names |= {"final_conv.1.bias": "last.activation.bias"}
    names |= _both("final_linear.0", "hidden") | _both("final_linear.1", "score")
    return _Layout(names=names, filters=filters, unused={})


def _trunk(theirs: str, ours: str, scales: int) -> tuple[dict[str, str], dict[str, float]]:
    """Return the names of the first convolution and of the residual blocks, and filters."""
    dot = f"{ours}." if ours else ""
    names = {
        f"{theirs}.0.0.weight": f"{dot}stem.conv.weight",
        f"{theirs}.0.1.bias": f"{dot}stem.activation.bias",
    }
    filters: dict[str, float] = {}
    for i in range(scales):
        block, own = f"{theirs}.{i + 1}", f"{dot}blocks.{i}"
        names |= {
            f"{block}.conv1.0.weight": f"{own}.conv1.conv.weight",
            f"{block}.conv1.1.bias": f"{own}.conv1.activation.bias",
            f"{block}.conv2.1.weight": f"{own}.conv2.conv.weight",
            f"{block}.conv2.2.bias": f"{own}.conv2.activation.bias",
            f"{block}.skip.1.weight": f"{own}.skip.conv.weight",
        }
        filters |= {f"{block}.conv2.0.kernel": 1.0, f"{block}.skip.0.kernel": 1.0}
    return names, filters


def _styled(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    yield f"{theirs}.conv.weight", f"{ours}.conv.weight"
    yield from _both(f"{theirs}.conv.modulation", f"{ours}.conv.modulation").items()
    yield f"{theirs}.activate.bias", f"{ours}.activation.bias"


def _heads(scale: int) -> Iterator[tuple[str, str]]:
    flow, own = f"dec.to_flows.{scale}", f"synthesis.flows.{scale}"
    yield f"{flow}.conv.weight", f"{own}.conv.weight"
    yield from _both(f"{flow}.conv.modulation", f"{own}.conv.modulation").items()
    yield f"{flow}.bias", f"{own}.bias"
    colour, own = f"dec.to_rgbs.{scale}", f"synthesis.colours.{scale}"
    yield f"{colour}.conv.0.weight", f"{own}.conv.weight"
    yield f"{colour}.conv.1.bias", f"{own}.activation.bias"
    yield f"{colour}.bias", f"{own}.bias"


def _both(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.{kind}": f"{ours}.{kind}" for kind in ("weight", "bias")}


def _as_published(name: str, weight: Tensor) -> Tensor:
    """Return a weight in its published shape: modulated convolutions have an axis in front."""
    return weight[None] if _is_modulated(name) else weight


def _is_modulated(name: str) -> bool:
    return name.startswith("dec.") and name.endswith(".conv.weight")


def _load(
    model: FaceGenerator | Discriminator,
    layout: _Layout,
    state: Mapping[str, Tensor],
    origin: str,
) -> None:
    """Fill a network; everything in the state must be known and fit."""
    ours = model.state_dict()
    wanted = {name: _as_published(name, ours[own]) for name, own in layout.names.items()}
    wanted |= {name: kernel(gain) for name, gain in layout.filters.items()}
    wanted |= {name: torch.zeros(shape) for name, shape in layout.unused.items()}
    check_layout(wanted, state, origin)
    odd = [
        name
        for name, gain in layout.filters.items()
        if not torch.allclose(state[name].float(), kernel(gain), atol=1e-6)
    ]
    if odd:
        more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
        raise CheckpointError(
            f"{origin} does not fit: not the filter [1, 3, 3, 1]: {', '.join(odd[:_SHOWN])}{more}."
        )
    mapped = {
        own: state[name][0] if _is_modulated(name) else state[name]
        for name, own in layout.names.items()
    }
    rest: nn.Module = model
    load_strictly(rest, mapped, origin)
