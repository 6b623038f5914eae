"""Sizes of the acoustic model; presets are functions."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from facevox.models.speech.matcha.symbols import NUM_SYMBOLS, NUM_TAGS
from facevox.nn.unet1d import UnetConfig


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EncoderConfig(_Frozen):
    """Text encoder.

    Attributes:
        hidden: Channels before the condition is joined to them.
        filter: Inner channels of the feed-forward layers.
        heads: Attention heads.
        layers: Number of layers.
        kernel: Frames of the feed-forward convolutions.
        dropout: Share dropped in training.
        prenet_dropout: The same for the convolutions before the layers.
    """

    hidden: int = 192
    filter: int = 768
    heads: int = 2
    layers: int = 6
    kernel: int = 3
    dropout: float = 0.1
    prenet_dropout: float = 0.5


class DurationConfig(_Frozen):
    """Duration predictor.

    Attributes:
        filter: Channels.
        kernel: Tokens of each convolution.
        dropout: Share dropped in training.
        rounding: Frames of a token before `length_scale`: "ceil" as published, or "nearest".
    """

    filter: int = 256
    kernel: int = 3
    dropout: float = 0.1
    rounding: Literal["ceil", "nearest"] = "ceil"


class PitchConfig(_Frozen):
    """Pitch predictor at frame level.

    Attributes:
        channels: Channels of its convolutions.
        kernel: Frames of each convolution.
        dilations: One residual convolution for each.
        dropout: Share dropped in training.
        noise: Deviation of the shift of a whole training utterance's F0 as the decoder sees
            it [octaves], so that it follows pitches that are not quite the recorded ones.
    """

    channels: int = 160
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    dropout: float = 0.2
    noise: float = 0.005


class PriorConfig(_Frozen):
    """Prior mean of the mel at frame level.

    Attributes:
        channels: Channels of its convolutions.
        kernel: Frames of each convolution.
        dilations: One residual convolution for each.
        dropout: Share dropped in training.
    """

    channels: int = 256
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4)
    dropout: float = 0.1


class DecoderConfig(UnetConfig):
    """U-Net that predicts the velocity, and how it is trained.

    Attributes:
        prior_spread: Deviation of normalised mels around their prior mean.  With it the network
            only learns what the Gaussian prior does not already say; None is as published.
        share_at_start: Share of training utterances seen at time 0.
    """

    prior_spread: float | None = Field(default=None, gt=0)
    share_at_start: float = Field(default=0.0, ge=0, le=1)


class MatchaConfig(_Frozen):
    """The whole model.

    Attributes:
        num_symbols: Size of the table of symbols; id 0 is padding.
        num_tags: Size of the second table of ids; 0 has none.
        n_mels: Mel bands.
        speakers: How a voice is given: not at all, by a row of a table, or by a
            `speaker_embedding` with the voice's mean of log2 F0.
        num_speakers: Rows of the table.
        speaker_dim: Size of the embedding that is given.
        condition_dim: Size of what encoder and decoder see of it.
        speaker_dropout: Share of training utterances without their voice.
        encoder: Text encoder.
        duration: Duration predictor.
        pitch: Pitch predictor; None leaves pitch to the decoder.
        prior: Prior mean of the mel at frame level, for models with pitch; None takes that of
            the symbols, as published.
        decoder: U-Net.
        alignment: Durations in training: "given" with the data, or found ("mas").
        prosody_gradient: Share of the gradient of durations and pitch that reaches the
            encoder; the published model has 0.
        sigma_min: Noise left at the end of the flow.
        mel_mean: Mean of the log-mels of the data.
        mel_std: Their standard deviation.
    """

    num_symbols: int = 178
    num_tags: int = 0
    n_mels: int = 80
    speakers: Literal["none", "table", "embedding"] = "none"
    num_speakers: int = 1
    speaker_dim: int = 192
    condition_dim: int = 64
    speaker_dropout: float = Field(default=0.0, ge=0.0, le=1.0)
    encoder: EncoderConfig = EncoderConfig()
    duration: DurationConfig = DurationConfig()
    pitch: PitchConfig | None = None
    prior: PriorConfig | None = None
    decoder: DecoderConfig = DecoderConfig()
    alignment: Literal["given", "mas"] = "mas"
    prosody_gradient: float = Field(default=0.0, ge=0.0, le=1.0)
    sigma_min: float = 1e-4
    mel_mean: float = 0.0
    mel_std: float = Field(default=1.0, gt=0.0)


def paper() -> MatchaConfig:
    """Return the published single-speaker model (LJSpeech, 22.05 kHz)."""
    return MatchaConfig(mel_mean=-5.536622, mel_std=2.116101)


def paper_multi() -> MatchaConfig:
    """Return the published model of 109 speakers (VCTK, 22.05 kHz)."""
    return MatchaConfig(speakers="table", num_speakers=109, mel_mean=-6.630575, mel_std=2.482914)


def small() -> MatchaConfig:
    """Return the model that ships: our symbols, voices by embedding, explicit pitch."""
    return MatchaConfig(
        num_symbols=NUM_SYMBOLS,
        num_tags=NUM_TAGS,
        speakers="embedding",
        encoder=EncoderConfig(filter=512, layers=4, dropout=0.05, prenet_dropout=0.1),
        duration=DurationConfig(rounding="nearest", dropout=0.2),
        pitch=PitchConfig(),
        prior=PriorConfig(dropout=0.05),
        decoder=DecoderConfig(
            channels=(160, 160),
            attention=(False, True),
            time_features=128,
            time_dim=256,
            activation="silu",
            masked=True,
            prior_spread=0.45,
            share_at_start=0.1,
        ),
        alignment="given",
        prosody_gradient=0.1,
        mel_mean=-4.9,
        mel_std=1.9,
    )


def tiny() -> MatchaConfig:
    """Return `small` shrunk for tests."""
    return small().model_copy(
        update={
            "n_mels": 20,
            "speaker_dim": 8,
            "condition_dim": 4,
            "encoder": EncoderConfig(
                hidden=16, filter=32, layers=1, dropout=0.0, prenet_dropout=0.0
            ),
            "duration": DurationConfig(filter=16, dropout=0.0, rounding="nearest"),
            "pitch": PitchConfig(channels=16, dilations=(1, 2), dropout=0.0, noise=0.0),
            "prior": PriorConfig(channels=16, kernel=3, dilations=(1, 2), dropout=0.0),
            "decoder": DecoderConfig(
                channels=(16, 16),
                attention=(False, True),
                heads=1,
                head_dim=8,
                mid_blocks=1,
                expansion=2,
                dropout=0.0,
                time_features=16,
                time_dim=32,
                activation="silu",
                masked=True,
                prior_spread=0.45,
                share_at_start=0.25,
            ),
        }
    )
