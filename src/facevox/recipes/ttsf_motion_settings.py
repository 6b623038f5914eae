"""Settings of the recipe `ttsf-motion`."""

from pydantic import Field, field_validator

from facevox.models.face.ttsf.codes import MOUTH_NUMBERS, OTHER_NUMBERS
from facevox.models.face.ttsf.sampler_config import MotionSamplerConfig, small
from facevox.recipes.ttsf_lips_settings import OptimSettings
from facevox.training.settings import RunSettings, Settings, TaskSettings

SIZES = {"style_dim": MOUTH_NUMBERS, "motion_dim": OTHER_NUMBERS}
"""What a sampler of numbers is given and draws."""


class ModelSettings(Settings):
    """What is trained.

    Attributes:
        sampler: Sizes; lips and motions are numbers instead of features.
        lips_from: Export of `ttsf-lips`, whose lips the sampler then hears, as it will later;
            without it the measured lips.
    """

    sampler: MotionSamplerConfig = small().model_copy(update=SIZES)
    lips_from: str | None = None

    @field_validator("sampler")
    @classmethod
    def _draws_numbers(cls, sampler: MotionSamplerConfig) -> MotionSamplerConfig:
        if (sampler.style_dim, sampler.motion_dim) != tuple(SIZES.values()):
            raise ValueError(f"must have style_dim {MOUTH_NUMBERS} and motion_dim {OTHER_NUMBERS}")
        return sampler


class LossSettings(Settings):
    """Weights of the losses of `MotionSampler.losses`."""

    cfm: float = Field(default=1.0, ge=0)
    prior: float = Field(default=0.5, ge=0)
    ae: float = Field(default=10.0, ge=0)


class DataSettings(Settings):
    """What is drawn.

    Attributes:
        batch: Windows in a batch, all of one length.
        lengths: Video frames of a window, each as often.
        mirror: How often left is right.
        epoch: Batches that count as one pass.
    """

    batch: int = Field(default=12, ge=1)
    lengths: tuple[int, ...] = Field(default=(32, 48, 72), min_length=1)
    mirror: float = Field(default=0.5, ge=0, le=1)
    epoch: int = Field(default=500, ge=1)


class MotionSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    optim: OptimSettings = OptimSettings(rate=1e-3)
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=1500, clip=1.0, ema=0.998, validate_steps=250)
