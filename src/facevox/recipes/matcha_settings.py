"""Settings of the recipe `matcha`."""

from typing import Literal

from pydantic import Field

from facevox.models.speech.matcha.config import MatchaConfig, small
from facevox.training.settings import RunSettings, Settings, TaskSettings


class ModelSettings(Settings):
    """What is trained.

    Attributes:
        matcha: Sizes.
        learn: "all" at once as published; "prior" is everything but the flow's decoder, at a
            third of the cost, "flow" its decoder alone.  With little speech take "prior", then
            "flow" with `run.start_from`.
        condition: Whether the voice is a speaker embedding or the identity seen in a face.
        identity: For `condition="face"`: a trained face generator (`generator.safetensors` of
            `ttsf-warmup`; with `?motion` behind it the whole feature f instead of f_id), or
            `module:function` that returns a network from pictures in [-1, 1] to identity
            features of 512 numbers.
        encoder: Checkpoint of the speaker encoder for samples without an embedding and for
            resized speakers; None takes the one in the package.
    """

    matcha: MatchaConfig = small()
    learn: Literal["all", "prior", "flow"] = "all"
    condition: Literal["speaker", "face"] = "speaker"
    identity: str | None = None
    encoder: str | None = None


class LossSettings(Settings):
    """Weights of the losses; the paper's are 1."""

    duration: float = Field(default=0.3, ge=0)
    prior: float = Field(default=0.15, ge=0)
    frame_prior: float = Field(default=2.0, ge=0)
    cfm: float = Field(default=1.0, ge=0)
    pitch: float = Field(default=0.5, ge=0)
    voicing: float = Field(default=0.3, ge=0)


class OptimSettings(Settings):
    """AdamW with a rate that rises, then falls like a cosine to a twentieth."""

    rate: float = Field(default=8e-4, gt=0)
    warm_up: int = Field(default=150, ge=1)
    decay: float = Field(default=0.01, ge=0)
    betas: tuple[float, float] = (0.9, 0.98)


class DataSettings(Settings):
    """What the batches are made of.

    Attributes:
        frames: Mel frames in a batch, padding included.
        sizes: Speeds at which a recording is played to make other speakers.
        resized_share: Part of the recordings to which that is done.
        floor: Lower log-mels are taken as this.  What lies below cannot be heard, varies most,
            and is half of all values.
        gated: Corpora whose steady noise is lowered.
        embedding_noise: Deviation of noise on speaker embeddings.
        weights: How often a recording of a corpus comes in an epoch; 1 if not named.
    """

    frames: int = Field(default=3000, ge=100)
    sizes: tuple[float, ...] = (0.93, 1.08, 1.16)
    resized_share: float = Field(default=0.2, ge=0, le=1)
    floor: float = -7.0
    gated: tuple[str, ...] = ("librispeech_other", "librispeech_train", "grid")
    embedding_noise: float = Field(default=0.015, ge=0)
    weights: dict[str, float] = Field(
        default_factory=lambda: {
            "grid": 0.1,
            "kerstin_de": 0.0,
            "librispeech_other": 1.5,
            "librispeech_train": 2.0,
            "ljspeech": 3.0,
        }
    )


class MatchaSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=10_000, clip=2.0, ema=0.9995)
