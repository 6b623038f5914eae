"""The prior mean of the mel, frame by frame: what a listener would expect on average.

The published prior is one vector a symbol, and the U-Net has to find every transition
between them.  With an hour of speech it does not; convolutions over frames learn the means
in minutes, and the flow adds what varies around them.

Reference:
    Ours; the decoder of FastPitch (Lancucki, ICASSP 2021) has this place without a flow.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from facevox.models.speech.matcha.config import PriorConfig
from facevox.models.speech.matcha.frame_network import FrameNetwork
from facevox.models.speech.matcha.pitch_predictor import PITCH_CHANNELS


class FramePrior(FrameNetwork):
    """Means of the mel from states of tokens, the place inside them, and the melody.

    Args:
        hidden: Size of the encoder's states.
        n_mels: Mel bands.
        config: Sizes.
    """

    def __init__(self, hidden: int, n_mels: int, config: PriorConfig) -> None:
        super().__init__(hidden, config.channels, config.kernel, config.dilations, config.dropout)
        self.pitch_proj = nn.Linear(PITCH_CHANNELS, config.channels)
        self.proj = nn.Linear(config.channels, n_mels)

    def forward(
        self,
        hidden: Float[Tensor, "batch tokens hidden"],
        durations: Int[Tensor, "batch tokens"],
        tokens: Int[Tensor, "batch frames"],
        pitch: Float[Tensor, "batch frames 3"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "batch frames mels"]:
        """Return means of the normalised mel.

        Args:
            hidden: Encoder states.
            durations: Frames of each token.
            tokens: Token of each frame.
            pitch: What `pitch_channels` says.
            mask: Valid frames.
        """
        x = self.states(hidden, durations, tokens, mask, self.pitch_proj(pitch))
        return self.proj(x).float() * mask.unsqueeze(-1)
