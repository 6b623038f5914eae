"""The face generator with what only its warm-up needs."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.errors import ConfigError, DataError
from facevox.models.face.lia.generator import FaceGenerator, Source
from facevox.models.face.lia.mean_flow import EYES
from facevox.models.face.lia.motion import Parts
from facevox.models.face.ttsf.codes import OTHER_NUMBERS, MotionCode, MouthCode
from facevox.models.face.ttsf.talking_head import NUM_SEEN
from facevox.recipes.warm_up_settings import WarmUpSettings

_LIPS_START = 0.15
_LEAST_FIELD = 2
"""Channels of a field that there always are: movement in x and y."""


class WarmUpNetwork(nn.Module):
    """The generator, what drives it in place of sound and sampler, and what reads it.

    Args:
        settings: Of the recipe.
        half: Whether pictures go through the networks in bfloat16.

    Raises:
        ConfigError: If mean flows have nothing that moves the mouth.

    Attributes:
        generator: Picture and motion to picture.
        mouth: Numbers of a mouth to f_lip.
        motion: Numbers of head, eyes and expression to magnitudes of the motion.
        seen: f_id to how a face is seen, for the voice.
    """

    def __init__(self, settings: WarmUpSettings, half: bool) -> None:
        super().__init__()
        config = settings.model.generator
        self.generator = FaceGenerator(config)
        self._half = half
        if config.mean_flow and not settings.model.lips:
            raise ConfigError("Mean flows move the mouth by its numbers; set model.lips=true.")
        numbers = settings.loss.controls > 0 or config.mean_flow
        self.mouth = MouthCode(config.style_dim) if settings.model.lips else None
        self.motion = MotionCode(config.motion_dim) if numbers else None
        self.reader = nn.Linear(config.motion_dim, OTHER_NUMBERS, bias=False) if numbers else None
        self.seen = nn.Linear(config.style_dim, NUM_SEEN) if settings.loss.traits > 0 else None
        if self.mouth is not None:
            nn.init.normal_(self.mouth.linear.weight, std=_LIPS_START)

    def forward(
        self,
        source: Float[Tensor, "batch 3 side side"],
        driver: Float[Tensor, "drivers 3 side side"],
        mouth: Float[Tensor, "batch 9"],
        change: Float[Tensor, "batch 9"],
        place: Float[Tensor, "batch 3"],
    ) -> dict[str, Tensor]:
        """Return pictures of the sources, moved.

        Args:
            source: In [-1, 1].
            driver: Moves the last rows; all others are moved by `change`.
            mouth: Numbers of the mouth.
            change: Numbers of head, eyes and expression, target less source.
            place: Where the mouth lies in each source (`mouth_place`).

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
            return self._moved(source, feature, maps, (mouth, change, place))

    def _moved(
        self,
        source: Tensor,
        feature: Tensor,
        maps: list[Tensor],
        told_by: tuple[Tensor, Tensor, Tensor],
    ) -> dict[str, Tensor]:
        mouth, change, place = told_by
        count = len(source)
        parts = self.generator.extractor(feature)
        own, seen = parts.alpha[:count], parts.alpha[count:]
        driven = count - len(seen)
        result = {"first": parts.f_id[:count], "second": parts.f_id[count:]}
        alpha, controls = seen, None
        if self.motion is not None and self.reader is not None:
            told = own + self.motion(change)
            alpha = torch.cat([told[:driven], seen])
            result |= {
                "told": told,
                "seen": seen,
                "read_told": self.reader(told - own),
                "read_seen": self.reader(seen - own[driven:]),
                "wanted": change / self.motion.units,
            }
            if self.generator.config.mean_flow and self.mouth is not None:
                with torch.no_grad():
                    read = self.motion.read(seen - own[driven:])
                others = torch.cat([change[:driven], read])
                controls = batch_controls(self.mouth, self.motion, mouth, others, place)
        first = Parts(f_id=result["first"], f_m=parts.f_m[:count], alpha=own)
        given = Source(parts=first, maps=[m[:count] for m in maps], pictures=source)
        lips = None if self.mouth is None else self.mouth(mouth)
        f_m = self.generator.extractor.dictionary(alpha)
        made = self.generator(given, f_m, lips, controls)
        if self.seen is not None:
            # unit length times its square root: about 1 each
            unit = functional.normalize(parts.f_id, dim=-1) * parts.f_id.shape[-1] ** 0.5
            result["traits"] = self.seen(unit)
        names = ("picture", "painted", "mask", "flow")
        return result | {name: getattr(made, name) for name in names}


def batch_controls(
    mouth_code: MouthCode,
    motion_code: MotionCode,
    mouth: Float[Tensor, "batch 9"],
    others: Float[Tensor, "batch 9"],
    place: Float[Tensor, "batch 3"],
) -> Float[Tensor, "batch controls"]:
    """Return the controls of mean flows for a batch of different sources.

    Args:
        mouth_code: Knows the units of a mouth.
        motion_code: Knows those of head and expression.
        mouth: Numbers of the mouth.
        others: Numbers of head and expression, relative to the source.
        place: Where each source's mouth lies (`mouth_place`).
    """
    face = (others / motion_code.units)[:, OTHER_NUMBERS - EYES :]
    return torch.cat([mouth / mouth_code.units, face, place], 1)


def fill_mean_flow(generator: FaceGenerator, path: Path) -> None:
    """Start the mean flows of a generator with fitted fields.

    Args:
        generator: With mean flows.
        path: An array (controls, channels, cells, cells); channels that it lacks stay.

    Raises:
        DataError: If it cannot be read or does not fit.
    """
    assert generator.synthesis.mean_flow is not None
    fields = generator.synthesis.mean_flow.fields
    try:
        found = torch.from_numpy(np.load(path, allow_pickle=False)).float()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); make the folder again.") from error
    controls, channels, *cells = fields.shape
    fits = found.ndim == 4 and found.shape[0] == controls and list(found.shape[2:]) == cells
    if not fits or not _LEAST_FIELD <= found.shape[1] <= channels:
        raise DataError(
            f"{path} has the shape {list(found.shape)}, expected {[controls, channels, *cells]}; "
            "make the folder again."
        )
    with torch.no_grad():
        fields[:, : found.shape[1]] = found
