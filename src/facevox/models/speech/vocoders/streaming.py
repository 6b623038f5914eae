"""Sound in pieces that are the same as the whole, with memory that does not grow.

Each piece is made with as many frames before and after as the vocoder sees, and only its
middle is kept; the phase of F0 and the number of the first frame are carried on.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from facevox.core.errors import InputError
from facevox.models.speech.vocoders.excitation import moved_onset, utterance_onset
from facevox.models.speech.vocoders.vocoder import Vocoder


class VocoderStream:
    """Takes frames as they come and gives the samples that are certain.

    Args:
        vocoder: What makes the sound.
        seed: Seed of the noise.
    """

    def __init__(self, vocoder: Vocoder, seed: int = 0) -> None:
        self._vocoder = vocoder
        self._onset = utterance_onset(1, seed)
        self._mel: Tensor | None = None
        self._f0: Tensor | None = None
        self._spoken = 0

    def push(
        self, mel: Float[Tensor, "1 mels frames"], f0: Float[Tensor, "1 frames"]
    ) -> Float[Tensor, "1 samples"]:
        """Add frames; return the samples that no later frame can change, perhaps none."""
        self._mel = mel if self._mel is None else torch.cat([self._mel, mel], dim=2)
        self._f0 = f0 if self._f0 is None else torch.cat([self._f0, f0], dim=1)
        return self._speak(self._mel.shape[2] - self._vocoder.receptive_field)

    def finish(self) -> Float[Tensor, "1 samples"]:
        """Return the remaining samples and start again with the next utterance."""
        if self._mel is None:
            return torch.zeros(1, 0)
        sound = self._speak(self._mel.shape[2])
        self._mel = self._f0 = None
        self._onset, self._spoken = utterance_onset(1, self._onset.seed), 0
        return sound

    def _speak(self, until: int) -> Tensor:
        """Return the samples of frames up to `until`, then forget what is not needed."""
        mel, f0, hop = self._mel, self._f0, self._vocoder.hop_length
        if mel is None or f0 is None or until <= self._spoken:
            return torch.zeros(1, 0)
        with torch.inference_mode():
            sound = self._vocoder(mel, f0, self._onset)
        kept = sound[:, self._spoken * hop : until * hop].clone()
        forgotten = max(0, until - self._vocoder.receptive_field)
        seconds = hop / self._vocoder.sample_rate
        self._onset = moved_onset(self._onset, f0[:, :forgotten], seconds)
        self._mel, self._f0 = mel[:, :, forgotten:], f0[:, forgotten:]
        self._spoken = until - forgotten
        return kept


def synthesise_in_pieces(
    vocoder: Vocoder,
    mel: Float[Tensor, "1 mels frames"],
    f0: Float[Tensor, "1 frames"],
    frames_at_once: int = 200,
    seed: int = 0,
) -> Iterator[Float[Tensor, "1 samples"]]:
    """Yield the sound of an utterance piece by piece; together they are the whole.

    Args:
        vocoder: What makes the sound.
        mel: Natural log of mel magnitudes.
        f0: Fundamental frequency [Hz], 0 where unvoiced.
        frames_at_once: Frames added for each piece.
        seed: Seed of the noise.

    Raises:
        InputError: If `frames_at_once` is less than one, or the frames cannot be spoken.
    """
    if frames_at_once < 1:
        raise InputError(f"A piece needs at least one frame, got {frames_at_once}.")
    stream = VocoderStream(vocoder, seed)
    for first in range(0, mel.shape[2], frames_at_once):
        last = first + frames_at_once
        piece = stream.push(mel[:, :, first:last], f0[:, first:last])
        if piece.shape[1]:
            yield piece
    yield stream.finish()
