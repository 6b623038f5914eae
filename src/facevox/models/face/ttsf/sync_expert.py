"""The sync expert: do five pictures of a mouth and 0.2 s of mel belong together?

SyncNet with a mel instead of cepstra, so that the mel that makes the speech can be judged, and
cosine instead of Euclidean distance.  It is trained by multi-way matching and then frozen.

Reference:
    Chung and Zisserman, Out of time: automated lip sync in the wild, ACCV workshop, 2016
    (the two streams); Chung, Chung and Kang, Perfect match: improved cross-modal embeddings
    for audio-visual synchronisation, ICASSP 2019 (multi-way matching).
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.errors import ConfigError

FRAMES = 5
"""Pictures in a window, at 25 fps."""

STEPS_PER_FRAME = 4
"""Mel frames (10 ms) to a picture."""

STEPS = FRAMES * STEPS_PER_FRAME
"""Mel frames in a window."""

_N_MELS = 80
_STRIDES = ((1, 1), (2, 1), (2, 2), (2, 2), (2, 1))
"""Steps over bands and time of the first convolutions: 80 x 20 becomes 5 x 5."""

_SMALLEST_SCALE = 1e-6


class SyncExpertConfig(BaseModel):
    """Sizes of the network.

    Attributes:
        region: The part of the picture that it sees: top, left, bottom and right, 0 to 1.
        height: Rows of that part once it is resized [px].
        width: Its columns [px].
        picture: Channels of the convolutions over pictures; each but the last halves the size,
            the last takes what is left.
        sound: Channels of the six convolutions over the mel.
        hidden: Width of the layer before the embedding.
        embedding: Numbers in an embedding.
        scale: First factor on the cosine.
        bias: First number added to it.
        mel_mean: Mean of the log-mels, taken off.
        mel_std: Their deviation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: tuple[float, float, float, float] = (0.5, 0.0, 1.0, 1.0)
    height: int = Field(default=96, ge=8)
    width: int = Field(default=192, ge=8)
    picture: tuple[int, ...] = (96, 256, 256, 256, 512)
    sound: tuple[int, ...] = (64, 192, 384, 256, 256, 512)
    hidden: int = Field(default=512, ge=1)
    embedding: int = Field(default=1024, ge=1)
    scale: float = 10.0
    bias: float = -5.0
    mel_mean: float = -6.0
    mel_std: float = Field(default=2.4, gt=0)

    @model_validator(mode="after")
    def _check(self) -> "SyncExpertConfig":
        top, left, bottom, right = self.region
        if not (0 <= top < bottom <= 1 and 0 <= left < right <= 1):
            raise ConfigError(
                f"region must be top < bottom and left < right, 0 to 1; got {self.region}."
            )
        if len(self.sound) != len(_STRIDES) + 1 or len(self.picture) < 2:
            raise ConfigError("sound must have six widths of channels, picture at least two.")
        return self


def paper() -> SyncExpertConfig:
    """Return the published widths, on the lower half of the face at 96 x 192 px."""
    return SyncExpertConfig()


def small() -> SyncExpertConfig:
    """Return a network for few hours of video: the mouth alone at 48 x 64 px."""
    return SyncExpertConfig(
        region=(0.53, 0.25, 0.905, 0.75),
        height=48,
        width=64,
        picture=(24, 48, 64, 96, 128),
        sound=(16, 32, 64, 96, 96, 128),
        hidden=128,
        embedding=128,
    )


def tiny() -> SyncExpertConfig:
    """Return sizes for tests."""
    return SyncExpertConfig(
        height=8, width=8, picture=(4, 6, 8), sound=(2, 4, 4, 4, 4, 8), hidden=8, embedding=8
    )


class SyncExpert(nn.Module):
    """Two streams into one space.

    Args:
        config: Sizes; `paper()`, `small()` or `tiny()`.
    """

    def __init__(self, config: SyncExpertConfig) -> None:
        super().__init__()
        self.config = config
        self.picture_stem = nn.Sequential(
            nn.Conv3d(3, config.picture[0], (FRAMES, 7, 7), (1, 2, 2), (0, 3, 3)),
            nn.BatchNorm3d(config.picture[0]),
            nn.ReLU(),
        )
        halvings = len(config.picture) - 1
        rest = tuple(-(-side // 2**halvings) for side in (config.height, config.width))
        middle = [_layer(a, b, 3, 2, 1) for a, b in pairwise(config.picture[:-1])]
        self.picture_layers = nn.Sequential(
            *middle, _layer(config.picture[-2], config.picture[-1], rest, 1, 0)
        )
        widths = (1, *config.sound[:-1])
        layers = [
            _layer(a, b, 3, stride, 1)
            for (a, b), stride in zip(pairwise(widths), _STRIDES, strict=True)
        ]
        self.sound_layers = nn.Sequential(
            *layers, _layer(config.sound[-2], config.sound[-1], 5, 1, 0)
        )
        self.picture_head = _head(config.picture[-1], config)
        self.sound_head = _head(config.sound[-1], config)
        self.scale = nn.Parameter(torch.tensor(config.scale))
        self.bias = nn.Parameter(torch.tensor(config.bias))

    def forward(
        self, frames: Float[Tensor, "batch 3 5 side side"], mel: Float[Tensor, "batch 1 80 20"]
    ) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch dim"]]:
        """Return the embeddings of windows, pictures first; of unit length.

        Args:
            frames: Whole faces in [-1, 1], as the generator makes them.
            mel: Natural log of mel magnitudes.
        """
        return self.embed_frames(frames)[:, 0], self.embed_mel(mel[:, 0])[:, 0]

    def embed_frames(
        self, frames: Float[Tensor, "batch 3 time side side"]
    ) -> Float[Tensor, "batch windows dim"]:
        """Return one embedding for each run of five pictures: windows = time - 4.

        Raises:
            ValueError: If there are fewer than five pictures.
        """
        if frames.shape[2] < FRAMES:
            raise ValueError(f"Expected at least {FRAMES} pictures, got {frames.shape[2]}.")
        batch, time = len(frames), frames.shape[2]
        seen = self.crop(frames.transpose(1, 2).flatten(0, 1))
        x = self.picture_stem(seen.unflatten(0, (batch, time)).transpose(1, 2))
        # only the stem looks across time
        x = self.picture_layers(x.transpose(1, 2).flatten(0, 1)).flatten(1)
        return _unit(self.picture_head(x)).unflatten(0, (batch, time - FRAMES + 1))

    def embed_mel(self, mel: Float[Tensor, "batch 80 steps"]) -> Float[Tensor, "batch windows dim"]:
        """Return one embedding for each picture's start: steps 4 n to 4 n + 19.

        Raises:
            ValueError: If there are fewer than twenty mel frames.
        """
        if mel.shape[-1] < STEPS:
            raise ValueError(f"Expected at least {STEPS} mel frames, got {mel.shape[-1]}.")
        even = (mel.float() - self.config.mel_mean) / self.config.mel_std
        windows = even.unfold(2, STEPS, STEPS_PER_FRAME).transpose(1, 2)
        batch, count = windows.shape[:2]
        x = self.sound_layers(windows.reshape(batch * count, 1, _N_MELS, STEPS)).flatten(1)
        return _unit(self.sound_head(x)).unflatten(0, (batch, count))

    def crop(
        self, pictures: Float[Tensor, "batch 3 side side"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Return the part that is looked at, resized; differentiable."""
        side = pictures.shape[-1]
        top, left, bottom, right = (round(part * side) for part in self.config.region)
        return functional.interpolate(
            pictures[:, :, top:bottom, left:right],
            (self.config.height, self.config.width),
            mode="bilinear",
            align_corners=False,
            antialias=True,
        )

    def logits(
        self, seen: Float[Tensor, "batch windows dim"], heard: Float[Tensor, "batch windows dim"]
    ) -> Float[Tensor, "batch windows windows"]:
        """Return how well window i of the pictures fits window j of the sound of its clip."""
        scale = self.scale.clamp(min=_SMALLEST_SCALE)
        return scale * (seen @ heard.transpose(1, 2)) + self.bias


def matching_loss(logits: Float[Tensor, "batch windows windows"]) -> Float[Tensor, ""]:
    """Return the cross-entropy of finding the right sound for pictures, and the reverse.

    The bias of the logits cancels; it is kept since published networks have it.
    """
    right = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    losses = [functional.cross_entropy(x, right) for x in (logits, logits.transpose(1, 2))]
    return 0.5 * (losses[0] + losses[1])


def matching_accuracy(
    logits: Float[Tensor, "batch windows windows"], slack: int = 0
) -> Float[Tensor, ""]:
    """Return the share of windows whose best sound is the right one.

    Args:
        logits: From `SyncExpert.logits`.
        slack: How many frames beside the right one still count.
    """
    right = torch.arange(logits.shape[1], device=logits.device)
    return ((logits.argmax(2) - right).abs() <= slack).float().mean()


def sync_loss(
    expert: SyncExpert,
    frames: Float[Tensor, "batch 3 time side side"],
    mel: Float[Tensor, "batch 80 steps"],
) -> Float[Tensor, ""]:
    """Return 1 - cosine of pictures and sound, averaged over all windows of five.

    Args:
        expert: Frozen.
        frames: Pictures that learn.
        mel: Four frames for each picture.
    """
    seen, heard = expert.embed_frames(frames), expert.embed_mel(mel)
    return 1 - (seen * heard).sum(-1).mean()


def _layer(
    before: int,
    after: int,
    size: int | tuple[int, ...],
    stride: int | tuple[int, ...],
    padding: int,
) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, size, stride, padding)  # type: ignore[arg-type]
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())


def _head(width: int, config: SyncExpertConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, config.hidden),
        nn.BatchNorm1d(config.hidden),
        nn.ReLU(),
        nn.Linear(config.hidden, config.embedding),
    )


def _unit(x: Tensor) -> Tensor:
    return functional.normalize(x.float(), dim=-1)
