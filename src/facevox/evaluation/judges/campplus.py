"""CAM++ as a judge of voices: the encoder that CosyVoice and Face2VoiceSync speak in."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from facevox.evaluation.judges.checkpoint_file import load_strictly, read_state_dict
from facevox.models.speech.campplus import Campplus, paper

_LAST = "xvector.dense.linear.weight"
_SIZES = (192, 512)


class CampplusJudge:
    """Embeds whole utterances, silence included, as 3D-Speaker does.

    Args:
        network: The encoder, in evaluation mode.
    """

    def __init__(self, network: Campplus) -> None:
        self.network = network

    @torch.inference_mode()
    def embed(self, waveform: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " dim"]:
        """Return the embedding of speech at 16 kHz, not normalised."""
        return self.network.embed_speech(torch.from_numpy(waveform)[None])[0].numpy()


def load_campplus(path: Path) -> CampplusJudge:
    """Load a published checkpoint of CAM++, of 192 or (VoxCeleb) 512 dimensions.

    Raises:
        CheckpointError: If it is damaged or does not fit.
    """
    state = read_state_dict(path)
    found = state[_LAST].shape[0] if _LAST in state and state[_LAST].ndim else _SIZES[0]
    network = Campplus(paper(found if found in _SIZES else _SIZES[0]))
    load_strictly(network, state, str(path))
    return CampplusJudge(network)
