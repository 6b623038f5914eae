"""The whole face generator: encoder, motion extractor, fusion and synthesis."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from facevox.models.face.lia.config import GeneratorConfig
from facevox.models.face.lia.encoder import VisualEncoder
from facevox.models.face.lia.fusion import StyleFusion
from facevox.models.face.lia.motion import MotionExtractor, Parts
from facevox.models.face.lia.synthesis import FlowGenerator, Synthesis


@dataclass(frozen=True, kw_only=True)
class Source:
    """All that is known of a source picture; made once for a portrait.

    Attributes:
        parts: Identity and motion.
        maps: Feature maps, 8 x 8 first.
        pictures: The pictures.
    """

    parts: Parts
    maps: list[Tensor]
    pictures: Float[Tensor, "batch 3 side side"]


class FaceGenerator(nn.Module):
    """A source picture and a motion -> the picture with that motion.

    Args:
        config: Sizes.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = VisualEncoder(config)
        self.extractor = MotionExtractor(config.style_dim, config.motion_dim)
        self.fusion = StyleFusion(config)
        self.synthesis = FlowGenerator(config)

    def read(self, pictures: Float[Tensor, "batch 3 side side"]) -> Source:
        """Return identity, motion and feature maps of pictures in [-1, 1]."""
        feature, maps = self.encoder(pictures)
        return Source(parts=self.extractor(feature), maps=maps, pictures=pictures)

    def forward(
        self,
        source: Source,
        f_m: Float[Tensor, "batch style"],
        f_lip: Float[Tensor, "batch style"] | None = None,
        controls: Float[Tensor, "batch controls"] | None = None,
    ) -> Synthesis:
        """Make pictures of the source's person with the given motion.

        Args:
            source: As many as there are motions, or one for all.
            f_m: Motion, such as that of another picture's `Parts`.
            f_lip: Lips; None leaves them to f_m.
            controls: What mouth and face do, for models with mean flows.
        """
        f_id = source.parts.f_id.expand(len(f_m), -1)
        pictures = source.pictures if self.config.pixel_skip else None
        return self.synthesis(self.fusion(f_id, f_m, f_lip), source.maps, pictures, controls)
