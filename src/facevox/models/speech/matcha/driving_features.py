"""What a face can be driven by while the acoustic model itself learns; differentiable.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.1 (the audio mapper's inputs).
"""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from facevox.core.errors import InputError
from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.nn.alignment import (
    expand,
    frame_tokens,
    gaussian_log_likelihood,
    monotonic_durations,
)
from facevox.nn.masks import length_mask


@dataclass(frozen=True, kw_only=True, slots=True)
class DrivingFeatures:
    """Features of whole utterances, every 10 ms.

    Attributes:
        embedding: Of the symbol that is spoken.
        text: Prior mean of the normalised mel.
        energy: Mean over the bands of the recorded mel, normalised.
        mask: Valid mel frames.
    """

    embedding: Float[Tensor, "batch frames dim"]
    text: Float[Tensor, "batch frames mels"]
    energy: Float[Tensor, "batch frames 1"]
    mask: Bool[Tensor, "batch frames"]


def driving_features(model: MatchaTTS, batch: MatchaBatch) -> DrivingFeatures:
    """Return what was said, spread over the recorded frames.

    Gradients reach the embedding and the text encoder; the alignment has none.

    Args:
        model: The acoustic model.
        batch: Utterances with their voices.

    Raises:
        InputError: If the batch lacks durations that the model needs.
    """
    mask = length_mask(batch.id_lengths, batch.ids.shape[1])
    tags = batch.tags if model.config.num_tags else None
    encoded = model.encoder(batch.ids, tags, mask, model.condition(batch.voice))
    mel = ((batch.mel.float() - model.mel_mean) / model.mel_std).transpose(1, 2)
    if model.config.alignment == "given":
        if batch.durations is None:
            raise InputError("This acoustic model needs durations; give them with the utterance.")
        durations = batch.durations
    else:
        scores = gaussian_log_likelihood(mel, encoded.mu.detach())
        durations = monotonic_durations(scores, batch.id_lengths, batch.mel_lengths)
    tokens = frame_tokens(durations, mel.shape[1])
    frames = length_mask(batch.mel_lengths, mel.shape[1])
    table = model.encoder.emb.weight
    embedding = functional.embedding(batch.ids, table) * table.shape[1] ** 0.5
    valid = frames.unsqueeze(-1)
    return DrivingFeatures(
        embedding=expand(embedding, tokens).float() * valid,
        text=expand(encoded.mu, tokens).float() * valid,
        energy=mel.mean(-1, keepdim=True) * valid,
        mask=frames,
    )
