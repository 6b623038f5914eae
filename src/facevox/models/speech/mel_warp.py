"""Longer and shorter vocal tracts on a mel spectrogram."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from facevox.models.speech.mel import MelSettings, hertz_to_mel, mel_to_hertz


def warp_mel(
    mel: Float[Tensor, "batch mels frames"],
    vocal_tract: float,
    settings: MelSettings | None = None,
) -> Float[Tensor, "batch mels frames"]:
    """Return log-mels whose formants are those of another vocal tract.

    Each band takes the value that stood at its frequency times the ratio: formants move
    down as the tract grows.  Above the highest band its value is held.

    Args:
        mel: Natural log of mel magnitudes.
        vocal_tract: Length of the vocal tract as a ratio; 1 changes nothing.
        settings: Bands of the mel.
    """
    if vocal_tract == 1.0:
        return mel
    settings = settings or MelSettings()
    f_max = settings.f_max or settings.sample_rate / 2
    low, high = hertz_to_mel(settings.f_min), hertz_to_mel(f_max)
    centres = mel_to_hertz(np.linspace(low, high, settings.n_mels + 2)[1:-1])
    step = (high - low) / (settings.n_mels + 1)
    places = (hertz_to_mel(centres * vocal_tract) - low) / step - 1
    places = np.clip(places, 0, settings.n_mels - 1)
    before = np.minimum(places.astype(int), settings.n_mels - 2)
    part = torch.from_numpy((places - before).astype(np.float32))[:, None].to(mel)
    return mel[:, before] * (1 - part) + mel[:, before + 1] * part
