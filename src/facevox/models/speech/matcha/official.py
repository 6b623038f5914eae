"""Published Matcha-TTS checkpoints, as Lightning wrote them."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from facevox.core.state_dict import load_strictly, read_state_dict
from facevox.models.speech.matcha.config import MatchaConfig, paper, paper_multi
from facevox.models.speech.matcha.matcha import MatchaTTS

_TABLE = "spk_emb.weight"


def load_official(path: Path) -> MatchaTTS:
    """Return the published network with the weights of a `.ckpt` file.

    One speaker or several is told by the file; everything else must be the published layout,
    key by key and shape by shape. The settings that Lightning keeps beside the weights are
    neither read nor run.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    state = read_state_dict(path, shells=True)
    model = MatchaTTS(config_of(state))
    load_strictly(model, state, path.name)
    return model


def config_of(state: Mapping[str, Tensor]) -> MatchaConfig:
    """Return the published sizes that fit a state: for one speaker, or for as many as it has."""
    table = state.get(_TABLE)
    if table is None:
        return paper()
    return paper_multi().model_copy(update={"num_speakers": int(table.shape[0])})
