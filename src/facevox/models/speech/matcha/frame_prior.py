"""The prior mean of the mel, frame by frame: what a listener would expect on average.

The published prior is one vector a symbol, and the U-Net has to find every transition
between them.  With an hour of speech it does not; convolutions over frames learn the means
in minutes, and the flow adds what varies around them.  The harmonics that F0 brings are
given, not learnt: a filter is predicted, and the share of the source that shows through it.

Reference:
    Ours; the decoder of FastPitch (Lancucki, ICASSP 2021) has this place without a flow.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from facevox.models.speech.matcha.config import PriorConfig
from facevox.models.speech.matcha.frame_network import FrameNetwork
from facevox.models.speech.matcha.pitch_predictor import PITCH_CHANNELS
from facevox.models.speech.matcha.source_mel import SourceMel

_GAIN = 0.3  # of the source in normalised mels, at first


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
        self.source = SourceMel(n_mels)
        self.source_proj = nn.Linear(n_mels, config.channels, bias=False)
        self.proj = nn.Linear(config.channels, n_mels)
        self.gain_proj = nn.Linear(config.channels, n_mels)
        nn.init.zeros_(self.gain_proj.weight)
        nn.init.constant_(self.gain_proj.bias, _GAIN)

    def forward(
        self,
        hidden: Float[Tensor, "batch tokens hidden"],
        durations: Int[Tensor, "batch tokens"],
        tokens: Int[Tensor, "batch frames"],
        pitch: Float[Tensor, "batch frames 3"],
        f0: Float[Tensor, "batch frames"],
        mask: Bool[Tensor, "batch frames"],
        shaping: Float[Tensor, "mels mels"] | None = None,
    ) -> Float[Tensor, "batch frames mels"]:
        """Return means of the normalised mel.

        Args:
            hidden: Encoder states.
            durations: Frames of each token.
            tokens: Token of each frame.
            pitch: What `pitch_channels` says.
            f0: F0 of each frame [Hz], 0 without voice.
            mask: Valid frames.
            shaping: Matrix on the bands of the filter, whose rows add up to 1; harmonics stay.
        """
        source = self.source(f0)
        known = self.pitch_proj(pitch) + self.source_proj(source)
        x = self.states(hidden, durations, tokens, mask, known)
        envelope = self.proj(x).float()
        if shaping is not None:
            envelope = envelope @ shaping.T
        mel = envelope + self.gain_proj(x).float() * source
        return mel * mask.unsqueeze(-1)
