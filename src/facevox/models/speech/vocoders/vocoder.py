"""What every vocoder is: mel and F0 in, as many samples as hops out."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from facevox.core.errors import InputError
from facevox.models.speech.vocoders.excitation import Onset


@runtime_checkable
class Vocoder(Protocol):
    """Turns mel spectrograms into sound.

    Attributes:
        sample_rate: Samples per second [Hz].
        hop_length: Samples per frame.
        receptive_field: Frames before and after one that its samples depend on.
    """

    sample_rate: int
    hop_length: int
    receptive_field: int

    def __call__(
        self,
        mel: Float[Tensor, "batch mels frames"],
        f0: Float[Tensor, "rows values"],
        onset: Onset | None = None,
    ) -> Float[Tensor, "batch samples"]:
        """Return `frames * hop_length` samples.

        Args:
            mel: Natural log of mel magnitudes.
            f0: Fundamental frequency of each frame [Hz], 0 where unvoiced; some
                vocoders do not need it.
            onset: Where in an utterance these frames start; None is at its start.
        """
        ...


def check_frames(mel: Tensor, f0: Tensor, n_mels: int) -> None:
    """Refuse frames that a vocoder cannot speak.

    Raises:
        InputError: If mel has other bands, F0 another length, or either is not finite.
    """
    if mel.shape[1] != n_mels:
        raise InputError(
            f"The vocoder reads {n_mels} mel bands, but got {mel.shape[1]}; "
            "use the mel front end that it was trained with."
        )
    if mel.shape[2] == 0:
        raise InputError("There are no mel frames to speak; give at least one.")
    if f0.shape != (mel.shape[0], mel.shape[2]):
        raise InputError(
            f"F0 has the shape {list(f0.shape)}, but mel has {mel.shape[0]} rows of "
            f"{mel.shape[2]} frames; give one value for each frame."
        )
    if not (torch.isfinite(mel).all() and torch.isfinite(f0).all()):
        raise InputError(
            "The mel spectrogram or F0 holds values that are not numbers; check what produced them."
        )
