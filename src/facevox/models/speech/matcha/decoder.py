"""The decoder: a velocity field over mel frames.

Reference:
    Mehta et al., Matcha-TTS, ICASSP 2024, section 3.2.
"""

from torch import nn

from facevox.nn.unet1d import UnetConfig, VelocityUnet


class FlowDecoder(nn.Module):
    """Holds the velocity field under its published name, `estimator`.

    Args:
        in_channels: Channels of the noisy mel and all conditions together.
        out_channels: Mel bands.
        config: Sizes.
    """

    def __init__(self, in_channels: int, out_channels: int, config: UnetConfig) -> None:
        super().__init__()
        self.estimator = VelocityUnet(in_channels, out_channels, config)
