"""Settings of the recipe `ttsf-lips`, and the optimiser that `ttsf-motion` shares."""

from collections.abc import Mapping

from pydantic import Field, field_validator
from torch import nn
from torch.optim import AdamW

from facevox.data.spoken_mouths import FILMED
from facevox.models.face.ttsf.audio_mapper import AudioMapperConfig, small
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS
from facevox.training.settings import RunSettings, Settings, TaskSettings


class ModelSettings(Settings):
    """What is trained.

    Attributes:
        mapper: Sizes; without `energy`, or `energy` and `text`, it is ablated.
    """

    mapper: AudioMapperConfig = small().model_copy(update={"out_dim": MOUTH_NUMBERS})

    @field_validator("mapper")
    @classmethod
    def _says_a_mouth(cls, mapper: AudioMapperConfig) -> AudioMapperConfig:
        if mapper.out_dim != MOUTH_NUMBERS:
            raise ValueError(f"must have out_dim {MOUTH_NUMBERS}, the numbers of a mouth")
        if mapper.energy and not mapper.text:
            raise ValueError("takes energy only beside the text feature; set both to false")
        return mapper


class LossSettings(Settings):
    """Weights of the losses.

    Attributes:
        change: Of the error in the change from frame to frame.
        closed: How much more frames with closed lips count.
    """

    change: float = Field(default=1.0, ge=0)
    closed: float = Field(default=2.0, ge=0)


class OptimSettings(Settings):
    """AdamW with a rate that rises, then falls like a cosine.

    Attributes:
        rate: Largest learning rate.
        last_share: The last rate as a part of it.
        warm_up: Steps in which the rate rises.
        betas: Memory of both moments.
        decay: Weight decay.
    """

    rate: float = Field(default=2e-3, gt=0)
    last_share: float = Field(default=0.03, gt=0, le=1)
    warm_up: int = Field(default=100, ge=1)
    betas: tuple[float, float] = (0.9, 0.98)
    decay: float = Field(default=0.02, ge=0)


class DataSettings(Settings):
    """What is drawn; see `data/spoken_sampler.py`.

    Attributes:
        batch: Windows in a batch.
        frames: Video frames of a window.
        shares: Kind of speech -> part of a batch.
        noise: Standard deviation of what is added to the features.
        loudness: Standard deviation of what is added to the energy.
        epoch: Batches that count as one pass.
    """

    batch: int = Field(default=16, ge=1)
    frames: int = Field(default=32, ge=2)
    shares: Mapping[str, float] = {"matcha": 0.5, "flite": 0.25, FILMED: 0.25}
    noise: float = Field(default=0.05, ge=0)
    loudness: float = Field(default=0.3, ge=0)
    epoch: int = Field(default=500, ge=1)


class LipsSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=1500, clip=1.0, ema=0.998, validate_steps=250)


def adamw(network: nn.Module, settings: OptimSettings) -> AdamW:
    """Return the optimiser of a network."""
    decay, betas = settings.decay, settings.betas
    return AdamW(network.parameters(), settings.rate, betas=betas, weight_decay=decay)
