"""What goes into training, who speaks, and what stands between planning and decoding."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from facevox.core.errors import DataError, InputError
from facevox.models.speech.matcha.config import MatchaConfig


@dataclass(kw_only=True, slots=True)
class MatchaBatch:
    """Utterances, padded at their ends with zeros.

    Attributes:
        ids: Symbols.
        tags: Second stream of ids, for models that have one.
        id_lengths: Valid symbols.
        mel: Natural log of mel magnitudes, not normalised.
        mel_lengths: Valid frames.
        durations: Frames of each symbol, 0 where padded; they sum to `mel_lengths`. None has
            them found.
        f0: Fundamental frequency of each frame [Hz], 0 unvoiced; for models with pitch.
        speaker_embedding: Who speaks, unit norm; for models of that kind.
        log2_f0_mean: Mean of log2 F0 of the voice over voiced frames [octaves above 1 Hz].
        speaker_ids: Rows of the table of speakers; for models of that kind.
    """

    ids: Int[Tensor, "batch tokens"]
    id_lengths: Int[Tensor, " batch"]
    mel: Float[Tensor, "batch mels frames"]
    mel_lengths: Int[Tensor, " batch"]
    tags: Int[Tensor, "batch tokens"] | None = None
    durations: Int[Tensor, "batch tokens"] | None = None
    f0: Float[Tensor, "batch frames"] | None = None
    speaker_embedding: Float[Tensor, "batch dim"] | None = None
    log2_f0_mean: Float[Tensor, " batch"] | None = None
    speaker_ids: Int[Tensor, " batch"] | None = None

    @property
    def voice(self) -> "MatchaVoice":
        """Return who speaks."""
        return MatchaVoice(
            speaker_embedding=self.speaker_embedding,
            log2_f0_mean=self.log2_f0_mean,
            speaker_ids=self.speaker_ids,
        )

    def check(self) -> None:
        """Refuse what would train silently on nonsense.

        Raises:
            DataError: If an utterance is empty, has fewer frames than symbols, or durations
                that do not sum to its frames.
        """
        if bool((self.id_lengths < 1).any()) or bool((self.mel_lengths < self.id_lengths).any()):
            raise DataError(
                "An utterance needs at least one symbol and as many mel frames as symbols; got "
                f"{self.id_lengths.tolist()} symbols and {self.mel_lengths.tolist()} frames."
            )
        if self.durations is not None and not torch.equal(self.durations.sum(1), self.mel_lengths):
            raise DataError(
                f"Durations must sum to the mel frames {self.mel_lengths.tolist()}, got "
                f"{self.durations.sum(1).tolist()}; align the recordings again."
            )

    def to(self, device: torch.device | str) -> "MatchaBatch":
        """Return the batch on another device."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return MatchaBatch(
            **{n: v.to(device) if isinstance(v, Tensor) else v for n, v in fields.items()}
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchaVoice:
    """Who speaks, one row for each utterance.

    Attributes:
        speaker_embedding: Unit norm; for models with continuous voices.
        log2_f0_mean: Mean of log2 F0 of that voice [octaves above 1 Hz].
        speaker_ids: Rows of the table; for models with a table.
    """

    speaker_embedding: Float[Tensor, "batch dim"] | None = None
    log2_f0_mean: Float[Tensor, " batch"] | None = None
    speaker_ids: Int[Tensor, " batch"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeechPlan:
    """What will be said, when and on which melody; the mel is not yet drawn.

    Attributes:
        id_lengths: Valid symbols.
        durations: Frames of each symbol, at least 1 where valid.
        hidden: Encoder states of the timbre's voice.
        mu: Prior means of the normalised mel.
        f0: Melody [Hz], 0 unvoiced; None for models that leave it to the decoder.
        condition: What the decoder sees of the voice.
        log2_f0_mean: Mean of log2 F0 of the voice that is heard [octaves above 1 Hz].
    """

    id_lengths: Int[Tensor, " batch"]
    durations: Int[Tensor, "batch tokens"]
    hidden: Float[Tensor, "batch tokens hidden"]
    mu: Float[Tensor, "batch tokens mels"]
    f0: Float[Tensor, "batch frames"] | None = None
    condition: Float[Tensor, "batch condition"] | None = None
    log2_f0_mean: Float[Tensor, " batch"] | None = None

    @property
    def mel_lengths(self) -> Int[Tensor, " batch"]:
        """Frames of each utterance."""
        return self.durations.sum(1)


def check_ids(
    ids: Int[Tensor, "batch tokens"],
    id_lengths: Int[Tensor, " batch"],
    tags: Int[Tensor, "batch tokens"] | None,
    config: MatchaConfig,
) -> None:
    """Refuse what a model of these sizes has no symbols for.

    Raises:
        InputError: If lengths, ids or tags are out of range.
    """
    if bool((id_lengths < 1).any()) or bool((id_lengths > ids.shape[1]).any()):
        raise InputError(f"Expected lengths from 1 to {ids.shape[1]}, got {id_lengths.tolist()}.")
    for name, values, count in (("ids", ids, config.num_symbols), ("tags", tags, config.num_tags)):
        if values is not None and count and bool(((values < 0) | (values >= count)).any()):
            raise InputError(f"{name} must be 0 to {count - 1}, got {int(values.max())}.")
