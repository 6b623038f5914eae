"""What is done to a log-mel after it was predicted: formants moved, sharpened, silence deepened.

The first two are linear in the bands, so they are matrices; they belong on the filter alone,
before harmonics are added, which must stay where F0 puts them.
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from facevox.models.speech.mel import MelSettings, hertz_to_mel, mel_to_hertz

_COARSE = 2  # cepstral coefficients of loudness and tilt, which are predicted well


@lru_cache(maxsize=64)
def warp_matrix(
    vocal_tract: float, settings: MelSettings | None = None
) -> Float32[Tensor, "mels mels"]:
    """Return the matrix that gives a log-mel the formants of another vocal tract.

    Each band takes the value that stood at its frequency times the ratio: formants move
    down as the tract grows.  Above the highest band its value is held.

    Args:
        vocal_tract: Length of the vocal tract as a ratio; 1 changes nothing.
        settings: Bands of the mel.
    """
    settings = settings or MelSettings()
    f_max = settings.f_max or settings.sample_rate / 2
    low, high = hertz_to_mel(settings.f_min), hertz_to_mel(f_max)
    centres = mel_to_hertz(np.linspace(low, high, settings.n_mels + 2)[1:-1])
    step = (high - low) / (settings.n_mels + 1)
    places = (hertz_to_mel(centres * vocal_tract) - low) / step - 1
    places = np.clip(places, 0, settings.n_mels - 1)
    bands = np.arange(settings.n_mels)
    # straight lines between the two bands around each place
    return torch.from_numpy(np.maximum(0, 1 - np.abs(places[:, None] - bands)).astype(np.float32))


@lru_cache(maxsize=8)
def contrast_matrix(contrast: float, n_mels: int = 80) -> Float32[Tensor, "mels mels"]:
    """Return the matrix that raises the formants of a log-mel out of their surroundings.

    A mean over what could be said is flatter than anything that is; the cepstral
    coefficients beyond loudness and tilt get back what they lost.

    Args:
        contrast: Factor on those coefficients; 1 changes nothing.
        n_mels: Bands.

    Reference:
        Silen et al., Ways to implement global variance in statistical speech synthesis,
        Interspeech 2012 (scaling in the cepstral domain); one factor for all is ours.
    """
    bands = np.arange(n_mels)
    cosines = np.cos(np.pi / n_mels * np.outer(bands, bands + 0.5)) * np.sqrt(2 / n_mels)
    cosines[0] /= np.sqrt(2)
    factors = np.where(bands < _COARSE, 1.0, contrast)
    return torch.from_numpy((cosines.T @ (factors[:, None] * cosines)).astype(np.float32))


def deepen_silence(
    mel: Float[Tensor, "batch mels frames"], below: float, slope: float
) -> Float[Tensor, "batch mels frames"]:
    """Return a log-mel whose low values lie lower: what a floor in training took away.

    Args:
        mel: Natural log of mel magnitudes.
        below: Values above it stay as they are.
        slope: How much faster the others fall; 0 changes nothing.
    """
    return mel - slope * torch.relu(below - mel)
