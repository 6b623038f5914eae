"""Settings of the recipe `ttsf`."""

from typing import Literal

from pydantic import Field

from facevox.models.face.lia.config import GeneratorConfig
from facevox.models.face.lia.config import small as small_generator
from facevox.models.face.ttsf.audio_mapper import AudioMapperConfig
from facevox.models.face.ttsf.audio_mapper import small as small_mapper
from facevox.models.face.ttsf.sampler_config import MotionSamplerConfig
from facevox.models.face.ttsf.sampler_config import small as small_sampler
from facevox.models.speech.matcha.config import MatchaConfig
from facevox.models.speech.matcha.config import small as small_matcha
from facevox.recipes.matcha_settings import LossSettings as SpeechLossSettings
from facevox.training.settings import RunSettings, Settings, TaskSettings


class ModelSettings(Settings):
    """What is trained together.

    Sizes that follow from others (of f_m, f_lip, the embedding of symbols and the voice) are
    set from the generator's and the acoustic model's.

    Attributes:
        generator: The face generator.
        matcha: The acoustic model; its voice is a feature of the face.
        mapper: The audio mapper; without `energy`, or `energy` and `text`, it is ablated.
        sampler: The motion sampler.
        voice: What of the source picture is the voice: "identity" f_id, free of motion, or the
            whole "feature" f, the paper's "with motion".
        voice_gradient: Whether the losses of speech reach the encoder of pictures.
        motion: Whether motions are sampled as they are, as published, or "relative" to the
            source picture's, as the system `ttsf` draws them.
        head_from: Export of S0 (`ttsf-warmup`) or of a run of this recipe to begin with.
        matcha_from: Export of S2 (`matcha` with `model.condition=face`), or an acoustic model of
            other voices, of which all but the projection of the voice is taken.
        sync_from: Export of S1 (`sync`); without it the sync loss is off.
    """

    generator: GeneratorConfig = small_generator()
    matcha: MatchaConfig = small_matcha()
    mapper: AudioMapperConfig = small_mapper()
    sampler: MotionSamplerConfig = small_sampler()
    voice: Literal["identity", "feature"] = "identity"
    voice_gradient: bool = True
    motion: Literal["absolute", "relative"] = "relative"
    head_from: str | None = None
    matcha_from: str | None = None
    sync_from: str | None = None


class LossSettings(Settings):
    """Weights of the eight terms, those of the paper; 0 leaves a term out.

    Attributes:
        gan: What the discriminator says of the pictures.
        rec: L1 of the pictures plus `vgg` times the distance of VGG19's features.
        identity: 1 - cosine of a face recogniser.
        sync: 1 - cosine of pictures and sound in the sync expert.
        cfm: Flow of the motion sampler.
        ae: Reconstruction of motions by the normaliser.
        prior: Likelihood of motions under the prior.
        tts: The acoustic model's own losses, weighted by `speech`.
        lips: Not in the paper: distance of the mouth that f_lip tells to the recorded one, in
            the units of the code of mouths.  Pictures alone teach lips very slowly.
        picture: Whether L1 is taken as published or, where VGG19 is not to be had, on a
            pyramid with gradients, most at mouth and eyes.
        vgg: Part of the perceptual distance in `rec`.
        recogniser: The judge behind `identity`.
        missing: Whether a judge or a sync expert that is not here turns its term off with a
            warning, or ends the run.
        speech: Weights inside `tts`.
    """

    gan: float = Field(default=0.1, ge=0)
    rec: float = Field(default=1.0, ge=0)
    identity: float = Field(default=0.3, ge=0)
    sync: float = Field(default=0.1, ge=0)
    cfm: float = Field(default=0.1, ge=0)
    ae: float = Field(default=1.0, ge=0)
    prior: float = Field(default=0.1, ge=0)
    tts: float = Field(default=1.0, ge=0)
    lips: float = Field(default=0.0, ge=0)
    picture: Literal["l1", "pyramid"] = "l1"
    vgg: float = Field(default=1.0, ge=0)
    recogniser: Literal["arcface-iresnet50", "arcface-iresnet100"] = "arcface-iresnet50"
    missing: Literal["warn", "refuse"] = "warn"
    speech: SpeechLossSettings = SpeechLossSettings()


class OptimSettings(Settings):
    """Adam.

    Attributes:
        rate: Learning rate, the same throughout.
        betas: Memory of both moments for speech, mapper and sampler.
        picture_betas: The same for generator and discriminator.
    """

    rate: float = Field(default=1e-4, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    picture_betas: tuple[float, float] = (0.0, 0.99)


class DataSettings(Settings):
    """What the batches are made of.

    Attributes:
        batch: Clips in a batch.
        frames: Pictures of a window.
        made_share: Part of the utterances whose energy is that of a mel which the acoustic
            model makes, as it will be when a text is spoken.
    """

    batch: int = Field(default=2, ge=1)
    frames: int = Field(default=32, ge=5)
    made_share: float = Field(default=0.1, ge=0, le=1)


class JointSettings(TaskSettings):
    """All settings of the recipe."""

    model: ModelSettings = ModelSettings()
    loss: LossSettings = LossSettings()
    optim: OptimSettings = OptimSettings()
    data: DataSettings = DataSettings()
    run: RunSettings = RunSettings(steps=10_000, clip=5.0, ema=0.999)


def fitted(model: ModelSettings) -> ModelSettings:
    """Return settings in which every size that follows from another is set."""
    generator, matcha = model.generator, model.matcha
    voice = {"speakers": "embedding", "speaker_dim": generator.style_dim}
    mapper = {
        "embedding_dim": matcha.encoder.hidden,
        "text_dim": matcha.n_mels,
        "out_dim": generator.style_dim,
    }
    sampler = {"style_dim": generator.style_dim, "motion_dim": generator.motion_dim}
    return model.model_copy(
        update={
            "matcha": matcha.model_copy(update=voice),
            "mapper": model.mapper.model_copy(update=mapper),
            "sampler": model.sampler.model_copy(update=sampler),
        }
    )
