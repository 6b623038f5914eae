"""How much faster the face generator's fast path is than a straightforward run of it."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.nn import functional

from facevox.models.face.lia.animator import FaceAnimator
from facevox.models.face.lia.config import GeneratorConfig
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.lia.mean_flow import NUM_CONTROLS, PLACE
from facevox.models.face.lia.synthesis import FlowHead

_PLAIN_FRAMES, _FAST_FRAMES = 2, 32
_FLOW = 0.05
"""What random flows are multiplied by, so that they are about as large as those of faces."""


@dataclass(frozen=True, kw_only=True)
class GeneratorSpeed:
    """Time of one frame, both ways, in one process.

    Attributes:
        threads: Of the products.
        plain_ms: Source and driving picture encoded, and one picture made, frame by frame in
            float32 [ms].
        undriven_ms: The same without the driving picture, for motion that is known [ms].
        fast_ms: With the source held, motion known [ms].
        setup_ms: Holding the source, once [ms].
        error: RMS difference of the two ways, of the pictures' deviation.
    """

    threads: int
    plain_ms: float
    undriven_ms: float
    fast_ms: float
    setup_ms: float
    error: float

    @property
    def times_faster(self) -> float:
        """Straightforward over fast."""
        return self.plain_ms / self.fast_ms

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        undriven = self.undriven_ms / self.fast_ms
        fps = 1000 / self.fast_ms
        ratios = {"times_faster": self.times_faster, "times_faster_undriven": undriven}
        return asdict(self) | ratios | {"fps": fps}


@torch.no_grad()
def measure_generator(
    config: GeneratorConfig,
    *,
    rounds: int = 3,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> GeneratorSpeed:
    """Measure a network with random weights; medians over rounds that take turns.

    Args:
        config: Sizes.
        rounds: Turns.
        seed: Of weights, pictures and motion.
        clock: Tells the time [s].
    """
    torch.manual_seed(seed)
    model = FaceGenerator(config).eval()
    for flow in model.synthesis.flows:
        assert isinstance(flow, FlowHead)
        flow.conv.weight.mul_(_FLOW)
    source, driver = _smooth_pictures(config.size)
    motion = model.read(driver).parts.f_m.repeat(_FAST_FRAMES, 1)
    motion[1:] += 0.1 * torch.randn(_FAST_FRAMES - 1, config.style_dim)
    controls = torch.zeros(_FAST_FRAMES, NUM_CONTROLS) if config.mean_flow else None
    if controls is not None:
        controls[:, -PLACE:] = torch.tensor([0.0, 0.3, 0.25])
    plain = _Straightforward(model, source, driver, controls, clock)
    started = clock()
    animator = FaceAnimator(model, source)
    setup = clock() - started
    made = animator.render(motion, controls=controls)
    error = _difference(made[:1], plain.frame())
    times = []
    for _ in range(rounds):
        encoding = decoding = 0.0
        for _ in range(_PLAIN_FRAMES):
            plain.frame()
            encoding, decoding = encoding + plain.encoding, decoding + plain.decoding
        started = clock()
        for _ in animator.frames(motion, controls=controls):
            pass
        fast = (clock() - started) / _FAST_FRAMES
        times.append((encoding / _PLAIN_FRAMES, decoding / _PLAIN_FRAMES, fast))
    encode, decode, fast = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    return GeneratorSpeed(
        threads=torch.get_num_threads(),
        plain_ms=2 * encode + decode,
        undriven_ms=encode + decode,
        fast_ms=fast,
        setup_ms=1000 * setup,
        error=error,
    )


class _Straightforward:
    """The network as its equations read: everything anew for every frame.

    Args:
        model: The network.
        source: Picture of the person.
        driver: Picture of the motion.
        controls: Of the first frame, for models with mean flows.
        clock: Tells the time [s].
    """

    def __init__(
        self,
        model: FaceGenerator,
        source: torch.Tensor,
        driver: torch.Tensor,
        controls: torch.Tensor | None,
        clock: Callable[[], float],
    ) -> None:
        self._model, self._source, self._driver, self._clock = model, source, driver, clock
        self._controls = None if controls is None else controls[:1]
        self.encoding = self.decoding = 0.0

    def frame(self) -> torch.Tensor:
        """Return one picture; keep the mean time of an encoding and that of the rest [s]."""
        started = self._clock()
        held = self._model.read(self._source)
        motion = self._model.read(self._driver).parts.f_m
        encoded = self._clock()
        # the directions too are made anew, as in training
        self._model.extractor.dictionary.forget()
        made = self._model(held, motion, None, self._controls).picture
        self.encoding, self.decoding = (encoded - started) / 2, self._clock() - encoded
        return made


def _smooth_pictures(side: int) -> torch.Tensor:
    """Return two batches of one picture each; noise would show every error of a flow as one."""
    noise = torch.randn(2, 3, 16, 16)
    grown = functional.interpolate(noise, size=side, mode="bicubic", align_corners=False)
    return grown.clamp(-1, 1)[:, None]


def _difference(made: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((made - wanted).square().mean().sqrt() / wanted.std())
