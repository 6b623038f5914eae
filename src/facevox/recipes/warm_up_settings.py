"""Settings of the recipe `ttsf-warmup`."""

from pydantic import Field, model_validator

from facevox.core.errors import ConfigError
from facevox.models.face.lia.config import GeneratorConfig, small
from facevox.recipes.face_losses import JudgedSettings
from facevox.training.settings import RunSettings, Settings, TaskSettings


class ModelSettings(Settings):
    """What is trained.

    Attributes:
        generator: Sizes of the face generator.
        lips: Whether the lips' styles are driven by numbers of the mouth, as later by the
            audio mapper; without them the motion of the driver moves the lips too, as in LIA.
        grow_from: Folder of the export of a run at half the size, whose weights are taken
            over; see `recipes/growing.py`.
        start_from: Folder of the export of a run at the same size, all of whose parts are
            trained on, such as one that `recipes/mouth_fields.py` wrote.
        growing_steps: Steps in which the new first block learns what the old one gave.
        compiled: Whether torch compiles the network: minutes at the start, faster steps.
    """

    generator: GeneratorConfig = small()
    lips: bool = True
    grow_from: str | None = None
    start_from: str | None = None
    growing_steps: int = Field(default=150, ge=0)
    compiled: bool = False

    @model_validator(mode="after")
    def _check(self) -> "ModelSettings":
        if self.grow_from is not None and self.start_from is not None:
            raise ConfigError(
                "A run begins with one export: set model.grow_from (half the size) or "
                "model.start_from (the same size), not both."
            )
        return self


class LossSettings(Settings):
    """Weights of the losses that need nothing else.

    Attributes:
        picture: Pyramid of L1 distances and of gradients at the full size.
        levels: Sizes of the pyramid.
        painted: The same for the colours before the pixel skip, with a level less.
        controls: Motion told by numbers of head, eyes and expression against motion seen in
            the driver, and these numbers read off both; 0 drives by pictures alone.
        contrast: Finding a person by another picture's identity.
        traits: Sex, age and proportions read off the identity, of people where they are known.
        flow: Distance from the known flow [px].
        mask: What is not taken from the photo.
        cover: Mask against what the photo does not show, at the mouth, where the flow is known.
        adversarial: What the discriminator says; 0 trains without it.
        weighted: Whether mouth and eyes count more.
    """

    picture: float = Field(default=1.0, ge=0)
    levels: int = Field(default=4, ge=1)
    painted: float = Field(default=0.3, ge=0)
    controls: float = Field(default=0.25, ge=0)
    contrast: float = Field(default=0.03, ge=0)
    traits: float = Field(default=0.03, ge=0)
    flow: float = Field(default=0.1, ge=0)
    mask: float = Field(default=0.01, ge=0)
    cover: float = Field(default=0.15, ge=0)
    adversarial: float = Field(default=0.0, ge=0)
    weighted: bool = True


class OptimSettings(Settings):
    """Adam with a rate that rises, then falls like a cosine.

    Attributes:
        rate: Largest learning rate.
        last_share: The last rate as a part of it.
        warm_up: Steps in which the rate rises.
        betas: Memory of both moments.
    """

    rate: float = Field(default=2e-3, gt=0)
    last_share: float = Field(default=0.05, gt=0, le=1)
    warm_up: int = Field(default=200, ge=1)
    betas: tuple[float, float] = (0.5, 0.99)


class DataSettings(Settings):
    """What is drawn; see `data/pair_sampler.py`.

    Attributes:
        batch: Pairs in a batch.
        real_share: Share of real pictures.
        rest_share: How often an acted source is the photo at rest.
        same_share: How often the driver has the target's mouth.
        drivers: Rows of a batch that are moved by the picture of a driver, all others by
            numbers; None moves all by pictures.
        epoch: Batches that count as one pass.
    """

    batch: int = Field(default=8, ge=1)
    real_share: float = Field(default=0.25, ge=0, le=1)
    rest_share: float = Field(default=1.0, ge=0, le=1)
    same_share: float = Field(default=0.1, ge=0, le=1)
    drivers: int | None = Field(default=3, ge=1)
    epoch: int = Field(default=1000, ge=1)


class WarmUpSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    judged: JudgedSettings = JudgedSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=20_000, clip=1.0, ema=0.998)
