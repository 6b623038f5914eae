"""CurricularFace: improved residual network with 101 layers, by which TTSF measures identity.

Layout of the authors' checkpoint (`backbone/model_irse.py`): `input_layer`, `body.N` for
all 49 units in one row, `output_layer`.

Reference:
    Huang et al., CurricularFace: adaptive curriculum learning loss for deep face
    recognition, CVPR 2020.  github.com/HuangYG123/CurricularFace
    Jang et al., Faces that Speak, CVPR 2024 (identity similarity).
"""

from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from facevox.evaluation.judges.checkpoint_file import loaded
from facevox.evaluation.judges.face_recogniser import FaceRecogniser

IR_101 = (3, 13, 30, 3)
"""Units on each of the four levels; 101 layers with all that is around them."""

_STEPS = 16  # a level halves the picture, four of them


class Unit(nn.Module):
    """Two convolutions with a shortcut.

    Args:
        channels_in: Channels that come in.
        channels: Channels that go out.
        stride: Of the second convolution and the shortcut.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        if channels_in == channels:
            self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels_in),
            nn.Conv2d(channels_in, channels, 3, 1, 1, bias=False),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """Return the sum of both paths."""
        return self.shortcut_layer(x) + self.res_layer(x)


class CurricularFace(FaceRecogniser):
    """The network.

    Args:
        units: Units on each level.
        width: Channels of the first level; each further level has twice as many.
        dim: Length of the embedding.
        side: Side of the faces [px].
    """

    def __init__(
        self, units: Sequence[int] = IR_101, width: int = 64, dim: int = 512, side: int = 112
    ) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)
        )
        body, channels = [], width
        for level, count in enumerate(units):
            for number in range(count):
                body.append(Unit(channels, width * 2**level, 1 if number else 2))
                channels = width * 2**level
        self.body = nn.Sequential(*body)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(channels * (side // _STEPS) ** 2, dim),
            nn.BatchNorm1d(dim, affine=False),
        )

    def forward(self, x: Float[Tensor, "n 3 112 112"]) -> Float[Tensor, "n dim"]:
        """Return the embeddings of RGB faces in [-1, 1], not normalised."""
        return self.output_layer(self.body(self.input_layer(x)))


def tiny() -> CurricularFace:
    """Return a network of the same topology with few channels, for tests."""
    return CurricularFace(units=(2, 1, 2, 1), width=4, dim=16).eval()


def load_curricularface(path: Path) -> CurricularFace:
    """Return the network with the authors' weights.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    return loaded(CurricularFace(), path)
