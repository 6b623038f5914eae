"""The face generator with what only its warm-up needs."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.data.acted_portraits import NUM_MOUTH_NUMBERS, NUM_OTHER_NUMBERS
from facevox.data.face_pairs import NUM_TRAITS
from facevox.models.face.lia.generator import FaceGenerator, Source
from facevox.models.face.lia.motion import Parts
from facevox.nn.equalized import EqualizedLinear
from facevox.recipes.warm_up_settings import WarmUpSettings

MOUTH_UNITS = (2.0,) * 6 + (20.0, 2.0, 2.0)
"""Factors that make the numbers of `MOUTH_CHANNELS` about alike."""

_LIPS_START = 0.15


class MouthNumbers(nn.Module):
    """Numbers of a mouth -> lip features f_lip, linearly.

    Args:
        style_dim: Size of f_lip.
    """

    units: Tensor

    def __init__(self, style_dim: int) -> None:
        super().__init__()
        self.linear = EqualizedLinear(NUM_MOUTH_NUMBERS, style_dim)
        self.register_buffer("units", torch.tensor(MOUTH_UNITS), persistent=False)
        with torch.no_grad():
            self.linear.weight.mul_(_LIPS_START)

    def forward(self, mouth: Float[Tensor, "*batch 9"]) -> Float[Tensor, "*batch style"]:
        """Return f_lip."""
        return self.linear(mouth * self.units)


class ControlCodes(nn.Module):
    """Numbers of head, eyes and expression <-> magnitudes of the motion's directions.

    Args:
        motion_dim: Number of directions.
    """

    def __init__(self, motion_dim: int) -> None:
        super().__init__()
        self.code = nn.Parameter(torch.randn(NUM_OTHER_NUMBERS, motion_dim) * 0.3)
        self.reader = nn.Linear(motion_dim, NUM_OTHER_NUMBERS, bias=False)

    def forward(self, change: Float[Tensor, "batch 9"]) -> Float[Tensor, "batch motion"]:
        """Return the change of the magnitudes.

        Args:
            change: Target less source, in the deviations `OTHER_SCALES`.
        """
        return change @ self.code


class WarmUpNetwork(nn.Module):
    """The generator, what drives it in place of sound and sampler, and what reads it.

    Args:
        settings: Of the recipe.
        half: Whether pictures go through the networks in bfloat16.
    """

    def __init__(self, settings: WarmUpSettings, half: bool) -> None:
        super().__init__()
        config = settings.model.generator
        self.generator = FaceGenerator(config)
        self._half = half
        self.lips = MouthNumbers(config.style_dim) if settings.model.lips else None
        self.codes = ControlCodes(config.motion_dim) if settings.loss.controls > 0 else None
        self.traits = None
        if settings.loss.traits > 0:
            self.traits = nn.Linear(config.style_dim, NUM_TRAITS)

    def forward(
        self,
        source: Float[Tensor, "batch 3 side side"],
        driver: Float[Tensor, "drivers 3 side side"],
        mouth: Float[Tensor, "batch 9"],
        change: Float[Tensor, "batch 9"],
    ) -> dict[str, Tensor]:
        """Return pictures of the sources, moved.

        Args:
            source: In [-1, 1].
            driver: Moves the last rows; all others are moved by `change`.
            mouth: Numbers of the mouth.
            change: Numbers of head, eyes and expression, target less source.

        Returns:
            `picture`, `painted`, `mask`, `flow` of the synthesis; `first` and `second`, the
            identities of sources and drivers; what `control_loss` takes and `traits`, if the
            network has them.
        """
        both = torch.cat([source, driver])
        if self._half:
            both = both.bfloat16()
        # the networks follow their input: autocast would also round flows and blurs
        with torch.autocast(source.device.type, enabled=False):
            feature, maps = self.generator.encoder(
                both.contiguous(memory_format=torch.channels_last)
            )
            return self._moved(source, feature, maps, mouth, change)

    def _moved(
        self, source: Tensor, feature: Tensor, maps: list[Tensor], mouth: Tensor, change: Tensor
    ) -> dict[str, Tensor]:
        count = len(source)
        parts = self.generator.extractor(feature)
        own, seen = parts.alpha[:count], parts.alpha[count:]
        result = {"first": parts.f_id[:count], "second": parts.f_id[count:]}
        alpha = seen
        if self.codes is not None:
            told = own + self.codes(change)
            alpha = torch.cat([told[: count - len(seen)], seen])
            result |= {
                "told": told,
                "seen": seen,
                "read_told": self.codes.reader(told - own),
                "read_seen": self.codes.reader(seen - own[count - len(seen) :]),
            }
        first = Parts(f_id=result["first"], f_m=parts.f_m[:count], alpha=own)
        given = Source(parts=first, maps=[m[:count] for m in maps], pictures=source)
        lips = None if self.lips is None else self.lips(mouth)
        made = self.generator(given, self.generator.extractor.dictionary(alpha), lips)
        if self.traits is not None:
            # unit length times its square root: about 1 each
            unit = functional.normalize(parts.f_id, dim=-1) * parts.f_id.shape[-1] ** 0.5
            result["traits"] = self.traits(unit)
        names = ("picture", "painted", "mask", "flow")
        return result | {name: getattr(made, name) for name in names}
