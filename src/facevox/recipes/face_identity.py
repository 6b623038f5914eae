"""The identity that a face generator sees in a picture: what gives the voice.

facevox train matcha --data SHARDS -o S2 --set model.condition=face \
        --set model.identity=S0/export/generator.safetensors --set model.matcha.speaker_dim=512
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.face.lia.generator import FaceGenerator
from facevox.recipes.growing import load_generator


class FaceIdentity(nn.Module):
    """Pictures -> f_id, or with `motion` the whole feature f.

    Args:
        generator: A trained face generator.
        motion: Whether the motion stays in, the paper's "with motion".
    """

    def __init__(self, generator: FaceGenerator, motion: bool = False) -> None:
        super().__init__()
        self.encoder, self.extractor = generator.encoder, generator.extractor
        self.size, self.motion = generator.config.size, motion
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, pictures: Float[Tensor, "batch 3 side side"]) -> Float[Tensor, "batch style"]:
        """Return the identity of faces in [-1, 1], framed as the generator takes them."""
        if pictures.shape[-1] != self.size:
            pictures = functional.interpolate(
                pictures, (self.size, self.size), mode="bilinear", antialias=True
            )
        feature, _ = self.encoder(pictures.contiguous(memory_format=torch.channels_last))
        return feature if self.motion else self.extractor(feature).f_id


def load_face_identity(path: Path, motion: bool = False) -> FaceIdentity:
    """Return the identity network of an exported generator.

    Args:
        path: `generator.safetensors`.
        motion: Whether the motion stays in.

    Raises:
        CheckpointError: If it is absent, damaged or does not fit its card.
    """
    return FaceIdentity(load_generator(path), motion)
