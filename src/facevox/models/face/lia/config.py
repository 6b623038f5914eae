"""Sizes of the face generator."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from facevox.core.errors import ConfigError

STYLE_DIM = 512
"""Size of the latent, and of the features f, f_id, f_m and f_lip."""

_PUBLISHED = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}


class GeneratorConfig(BaseModel):
    """Sizes of encoder, motion dictionary and synthesis network.

    Attributes:
        size: Side of the pictures [px], a power of two.
        channels: Channels of the feature maps at each side, from 4 to `size`.
        style_dim: Size of the latent.
        motion_dim: Directions of the motion dictionary.
        content: What a scale's colours are made of: "warped" source features alone, as
            published, or the "fused" map, which also holds what the source does not show.
        pixel_skip: Whether the source photo itself, warped by the finest flow, is blended in
            by the finest mask.
        mean_flow: Whether what mouth and eyes do on the average face is added to the flows.
        fusion: How f_lip enters its styles: "replace" gives f_id + f_lip, "add" also adds
            f_m, "project" gives f_id + Linear([f_m, f_lip]) (`FusionConfig`).
        layer_map: Which styles are moved: "styles", indices 1 to 7 with the lips in 6 and 7,
            or "levels", resolutions 4 to 256 with the lips in the two finest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = 256
    channels: dict[int, int] = Field(default_factory=lambda: _table(256, 1))
    style_dim: int = Field(default=STYLE_DIM, ge=1)
    motion_dim: int = Field(default=20, ge=1)
    content: Literal["warped", "fused"] = "warped"
    pixel_skip: bool = False
    mean_flow: bool = False
    fusion: Literal["replace", "add", "project"] = "replace"
    layer_map: Literal["styles", "levels"] = "styles"

    @model_validator(mode="after")
    def _check(self) -> "GeneratorConfig":
        if self.size < 16 or self.size & (self.size - 1):
            raise ConfigError(f"size must be a power of two from 16 on, got {self.size}.")
        if sorted(self.channels) != self.sides:
            raise ConfigError(
                f"channels must be given for the sides {self.sides}, got {sorted(self.channels)}."
            )
        return self

    @property
    def sides(self) -> list[int]:
        """Sides of the feature maps, 4 to `size`."""
        return [2**power for power in range(2, self.size.bit_length())]

    @property
    def num_styles(self) -> int:
        """Styles that the synthesis network takes: 14 at 256 px."""
        return 2 * len(self.sides)


def paper(size: int = 256) -> GeneratorConfig:
    """Return the published sizes, at 256 or 512 px."""
    return GeneratorConfig(size=size, channels=_table(size, 1))


def small(size: int = 256) -> GeneratorConfig:
    """Return a quarter of the published width, with the pixel skip: the weights that ship."""
    return GeneratorConfig(
        size=size, channels=_table(size, 4), content="fused", pixel_skip=True, mean_flow=True
    )


def tiny() -> GeneratorConfig:
    """Return sizes for tests."""
    return GeneratorConfig(size=32, channels=_table(32, 64), style_dim=16, motion_dim=4)


def _table(size: int, divisor: int) -> dict[int, int]:
    return {side: width // divisor for side, width in _PUBLISHED.items() if side <= size}
