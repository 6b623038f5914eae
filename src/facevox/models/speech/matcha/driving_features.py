"""What a face can be driven by while the acoustic model itself learns; differentiable.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.1 (the audio mapper's inputs).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from facevox.core.errors import InputError
from facevox.models.speech.matcha.batch import MatchaBatch, MatchaVoice
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.nn.alignment import (
    expand,
    frame_tokens,
    gaussian_log_likelihood,
    monotonic_durations,
)
from facevox.nn.masks import length_mask

_STEPS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class DrivingFeatures:
    """Features of whole utterances, every 10 ms.

    Attributes:
        embedding: Of the symbol that is spoken.
        text: Prior mean of the normalised mel.
        energy: Mean over the bands of the normalised mel, recorded or made.
        mask: Valid mel frames.
    """

    embedding: Float[Tensor, "batch frames dim"]
    text: Float[Tensor, "batch frames mels"]
    energy: Float[Tensor, "batch frames 1"]
    mask: Bool[Tensor, "batch frames"]


def driving_features(
    model: MatchaTTS, batch: MatchaBatch, made: Sequence[int] = (), seed: int = 0
) -> DrivingFeatures:
    """Return what was said, spread over the recorded frames.

    Gradients reach the embedding and the text encoder; the alignment has none.

    Args:
        model: The acoustic model.
        batch: Utterances with their voices.
        made: Utterances whose energy is that of a mel which the model makes with the recorded
            durations, as it will be when a text is spoken.
        seed: Of these mels.

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
    energy = mel.mean(-1, keepdim=True)
    for row in made:
        length = int(batch.mel_lengths[row])
        energy[row, :length] = _made_energy(model, batch, durations, row, seed)
    return DrivingFeatures(
        embedding=expand(embedding, tokens).float() * valid,
        text=expand(encoded.mu, tokens).float() * valid,
        energy=energy * valid,
        mask=frames,
    )


def _made_energy(
    model: MatchaTTS, batch: MatchaBatch, durations: Tensor, row: int, seed: int
) -> Float[Tensor, "frames 1"]:
    """Return the energy of the mel that the model makes of one utterance."""
    one, tokens = slice(row, row + 1), int(batch.id_lengths[row])
    voice = MatchaVoice(
        speaker_embedding=_row(batch.speaker_embedding, one),
        log2_f0_mean=_row(batch.log2_f0_mean, one),
        speaker_ids=_row(batch.speaker_ids, one),
    )
    tags = _row(batch.tags, one)
    learning = model.training
    model.eval()
    plan = model.plan(
        batch.ids[one, :tokens],
        batch.id_lengths[one],
        None if tags is None else tags[:, :tokens],
        voice,
        durations=durations[one, :tokens],
    )
    mel = model.decode(plan, [seed + row], steps=_STEPS)[0].T
    model.train(learning)
    # a copy, since autograd takes no tensors of inference mode
    return ((mel - model.mel_mean) / model.mel_std).mean(-1, keepdim=True).clone()


def _row(x: Tensor | None, one: slice) -> Tensor | None:
    return None if x is None else x[one].detach()
