"""SyncNet: do five pictures of a face and a fifth of a second of sound belong together?

Both become points of one space; the nearer, the better they fit.  The layout is that of
`syncnet_v2.model`, published with joonson/syncnet_python.

Reference:
    Chung and Zisserman, Out of time: automated lip sync in the wild, ACCV workshop on
    multi-view lip-reading, 2016.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn

from facevox.core.errors import InputError
from facevox.evaluation.judges.checkpoint_file import loaded

FPS = 25
"""Pictures a second that it was trained on."""

SIDE = 224
"""Width and height of a picture [px]."""

FRAMES = 5
"""Pictures in a window."""

STEPS_PER_FRAME = 4
"""Rows of cepstra (10 ms) to a picture (40 ms)."""

STEPS = FRAMES * STEPS_PER_FRAME
"""Rows of cepstra in a window."""

_PICTURES_AT_ONCE, _SOUNDS_AT_ONCE = 16, 256


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncNetConfig:
    """Sizes of the network.

    Attributes:
        sound: Channels of the six convolutions over cepstra.
        picture: Channels of the six convolutions over pictures.
        hidden: Width of the two layers after each stream.
        embedding: Numbers in an embedding.
    """

    sound: tuple[int, ...] = (64, 192, 384, 256, 256, 512)
    picture: tuple[int, ...] = (96, 256, 256, 256, 256, 512)
    hidden: int = 512
    embedding: int = 1024


def tiny() -> SyncNetConfig:
    """Return the same topology with few channels, for tests."""
    return SyncNetConfig(
        sound=(4, 4, 6, 6, 6, 8), picture=(4, 6, 6, 6, 6, 8), hidden=8, embedding=16
    )


class SyncNet(nn.Module):
    """Two streams into one space.

    Embeddings are not normalised; distances between them are Euclidean.
    """

    def __init__(self, config: SyncNetConfig | None = None) -> None:
        super().__init__()
        config = config or SyncNetConfig()
        self.config = config
        self.netcnnaud = _sound_stream(config.sound)
        self.netfcaud = _head(config.sound[-1], config)
        self.netfclip = _head(config.picture[-1], config)
        self.netcnnlip = _picture_stream(config.picture)

    def forward_audio(self, cepstra: Float32[Tensor, "n 1 13 20"]) -> Float32[Tensor, "n d"]:
        """Embed windows of sound: coefficients by steps of 10 ms."""
        out: Tensor = self.netfcaud(self.netcnnaud(cepstra).flatten(1))
        return out

    def forward_video(self, pictures: Float32[Tensor, "3 t 224 224"]) -> Float32[Tensor, "n d"]:
        """Embed every window of five pictures: BGR, 0 to 255, one after the other.

        Only the first layer looks across time, so windows share nothing but pictures and
        need not be stacked: n = t - 4.
        """
        features = self.netcnnlip(pictures[None])[0, :, :, 0, 0]
        out: Tensor = self.netfclip(features.T)
        return out

    @torch.inference_mode()
    def embed_video(
        self, frames: Iterable[UInt8[np.ndarray, "224 224 3"]]
    ) -> Float32[np.ndarray, "n d"]:
        """Embed a video, window by window; row i looks at frames i to i + 4.

        Args:
            frames: RGB pictures at 25 fps; they are turned to BGR here, and never held
                together.

        Raises:
            InputError: If there are fewer than five.
        """
        blocks = [
            self.forward_video(torch.from_numpy(block.transpose(3, 0, 1, 2).copy())).numpy()
            for block in _blocks(frames)
        ]
        if not blocks:
            raise InputError(f"SyncNet needs at least {FRAMES} frames.")
        return np.concatenate(blocks)

    @torch.inference_mode()
    def embed_audio(self, cepstra: Float[np.ndarray, "steps 13"]) -> Float32[np.ndarray, "n d"]:
        """Embed the sound; row i hears steps 4 i to 4 i + 19.

        Args:
            cepstra: From `mfcc`, every 10 ms.

        Raises:
            InputError: If there are fewer than twenty steps.
        """
        if len(cepstra) < STEPS:
            raise InputError(f"SyncNet needs at least {STEPS / 100:g} s of sound.")
        rows = torch.from_numpy(cepstra.astype(np.float32))
        windows = rows.unfold(0, STEPS, STEPS_PER_FRAME)[:, None]
        return torch.cat([self.forward_audio(w) for w in windows.split(_SOUNDS_AT_ONCE)]).numpy()


def load_syncnet(path: Path) -> SyncNet:
    """Load `syncnet_v2.model`.

    Raises:
        CheckpointError: If the file is absent, damaged, or does not fit.
    """
    return loaded(SyncNet(), path)


def _blocks(
    frames: Iterable[UInt8[np.ndarray, "224 224 3"]],
) -> Iterator[Float32[np.ndarray, "t 224 224 3"]]:
    """Yield runs of frames that overlap by four, BGR."""
    source = iter(frames)
    kept: list[np.ndarray] = list(islice(source, FRAMES - 1))
    while new := list(islice(source, _PICTURES_AT_ONCE)):
        kept += new
        yield np.stack(kept)[..., ::-1].astype(np.float32)
        kept = kept[-(FRAMES - 1) :]


def _sound_stream(widths: tuple[int, ...]) -> nn.Sequential:
    one, two, three, four, five, six = pairwise((1, *widths))
    return nn.Sequential(
        *(nn.Conv2d(*one, 3, padding=1), nn.BatchNorm2d(one[1]), nn.ReLU(), nn.MaxPool2d(1)),
        *(nn.Conv2d(*two, 3, padding=1), nn.BatchNorm2d(two[1]), nn.ReLU()),
        nn.MaxPool2d(3, stride=(1, 2)),
        *chain.from_iterable(
            (nn.Conv2d(*sizes, 3, padding=1), nn.BatchNorm2d(sizes[1]), nn.ReLU())
            for sizes in (three, four, five)
        ),
        nn.MaxPool2d(3, stride=2),
        *(nn.Conv2d(*six, (5, 4)), nn.BatchNorm2d(six[1]), nn.ReLU()),
    )


def _picture_stream(widths: tuple[int, ...]) -> nn.Sequential:
    one, two, three, four, five, six = pairwise((3, *widths))
    edge = (0, 1, 1)
    halve = (1, 2, 2)
    return nn.Sequential(
        *(nn.Conv3d(*one, (FRAMES, 7, 7), stride=halve), nn.BatchNorm3d(one[1]), nn.ReLU()),
        nn.MaxPool3d((1, 3, 3), stride=halve),
        *(nn.Conv3d(*two, (1, 5, 5), stride=halve, padding=edge), nn.BatchNorm3d(two[1])),
        *(nn.ReLU(), nn.MaxPool3d((1, 3, 3), stride=halve, padding=edge)),
        *chain.from_iterable(
            (nn.Conv3d(*sizes, (1, 3, 3), padding=edge), nn.BatchNorm3d(sizes[1]), nn.ReLU())
            for sizes in (three, four, five)
        ),
        nn.MaxPool3d((1, 3, 3), stride=halve),
        *(nn.Conv3d(*six, (1, 6, 6)), nn.BatchNorm3d(six[1]), nn.ReLU()),
    )


def _head(width: int, config: SyncNetConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, config.hidden),
        nn.BatchNorm1d(config.hidden),
        nn.ReLU(),
        nn.Linear(config.hidden, config.embedding),
    )
