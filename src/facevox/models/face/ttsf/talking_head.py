"""All networks of the talking face in one: what is trained jointly and shipped together."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.checkpoint import load_card, load_module
from facevox.core.errors import CheckpointError
from facevox.models.face.lia import config as lia
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.lia.motion import Parts
from facevox.models.face.ttsf import audio_mapper, sampler_config
from facevox.models.face.ttsf.audio_mapper import AudioMapper, AudioMapperConfig
from facevox.models.face.ttsf.codes import MotionCode, MouthCode
from facevox.models.face.ttsf.motion_sampler import MotionSampler
from facevox.models.face.ttsf.sampler_config import MotionSamplerConfig

NUM_SEEN = 5
"""Numbers of `SeenIdentity`."""


class TalkingHeadConfig(BaseModel):
    """Sizes of all parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    generator: lia.GeneratorConfig
    mapper: AudioMapperConfig
    sampler: MotionSamplerConfig


def small() -> TalkingHeadConfig:
    """Return the sizes of the weights that ship."""
    return TalkingHeadConfig(
        generator=lia.small(), mapper=audio_mapper.small(), sampler=sampler_config.small()
    )


def tiny() -> TalkingHeadConfig:
    """Return sizes for tests: real inputs, small everything else."""
    style, motion = 32, 12
    generator = lia.tiny().model_copy(
        update={
            "style_dim": style,
            "motion_dim": motion,
            "content": "fused",
            "pixel_skip": True,
            "mean_flow": True,
        }
    )
    mapper = audio_mapper.tiny().model_copy(
        update={"embedding_dim": 192, "text_dim": 80, "out_dim": style}
    )
    sampler = sampler_config.tiny().model_copy(update={"style_dim": style, "motion_dim": motion})
    return TalkingHeadConfig(generator=generator, mapper=mapper, sampler=sampler)


class TalkingHead(nn.Module):
    """Generator, codes, audio mapper and motion sampler.

    Args:
        config: Sizes.

    Attributes:
        generator: Picture + motion -> picture.
        mouth: Numbers of a mouth <-> f_lip.
        motion: Numbers of head and expression <-> alpha.
        mapper: What is spoken -> f_lip.
        sampler: Draws motions, relative to the source's.
        seen: Identity -> how the face is seen, for the voice.
        leftover: What motion leaves in f_id, per magnitude; 0 takes f_id as it is.
    """

    def __init__(self, config: TalkingHeadConfig) -> None:
        super().__init__()
        self.config = config
        generator = config.generator
        self.generator = FaceGenerator(generator)
        self.mouth = MouthCode(generator.style_dim)
        self.motion = MotionCode(generator.motion_dim)
        self.mapper = AudioMapper(config.mapper)
        self.sampler = MotionSampler(config.sampler)
        self.seen = nn.Linear(generator.style_dim, NUM_SEEN)
        self.leftover = nn.Parameter(torch.zeros(generator.style_dim, generator.motion_dim))

    @classmethod
    def load(cls, path: Path) -> "TalkingHead":
        """Return the networks of a checkpoint, in evaluation mode.

        Raises:
            CheckpointError: If it is absent, damaged or does not fit its card.
        """
        card: dict[str, Any] = load_card(path)
        try:
            head = cls(TalkingHeadConfig.model_validate(card["config"]))
        except (KeyError, TypeError, ValidationError) as error:
            raise CheckpointError(f"The card of {path} does not fit: {error}.") from error
        load_module(head, path)
        return head.eval().requires_grad_(False)

    def identity(self, parts: Parts) -> Float[Tensor, "batch style"]:
        """Return the identity that the voice is read from, free of motion, of one length for all.

        Nothing makes f_id = f - f_m free of motion but the formula: a generator may let f_id say
        where the source looks, since it is the difference to the target that it needs.  What
        motion leaves there is taken away, as far as it is linear.
        """
        identity = parts.f_id - parts.alpha @ self.leftover.T
        return functional.normalize(identity, dim=-1) * identity.shape[-1] ** 0.5

    @property
    def num_parameters(self) -> int:
        """Learned numbers."""
        return sum(parameter.numel() for parameter in self.parameters())
