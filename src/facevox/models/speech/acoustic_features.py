"""What the acoustic model knows of spoken text, frame by frame: what drives a face from it.

Faces that Speak moves the lips by features that speech is made from as well: the embedding of
the symbols, the text encoder's prior mean of the mel, and the energy.  They are read here from
any timed speech, spoken by whichever engine or recorded.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from facevox.core.checkpoint import SPEECH_WEIGHTS, load_card, load_module
from facevox.core.errors import CheckpointError, InputError
from facevox.core.speech import SILENCE, Phone, Speech
from facevox.models.speech.matcha.config import MatchaConfig
from facevox.models.speech.matcha.matcha import MatchaTTS, MatchaVoice
from facevox.models.speech.matcha.symbols import (
    INITIAL_TAG,
    INTERNAL_TAG,
    PAUSE_TAG,
    symbol_id,
)
from facevox.models.speech.mel import MelSpectrogram
from facevox.nn.alignment import expand, frame_tokens

FRAME_RATE = 100
"""Feature frames per second [Hz]."""

_FULL_STOP = "."


@dataclass(frozen=True, kw_only=True, slots=True)
class AcousticFeatures:
    """Features of one sentence, every 10 ms.

    Attributes:
        embedding: Of the symbol that is being spoken.
        text: Prior mean of the normalised mel, from the text encoder.
        energy: Mean over the bands of the normalised log-mel.
    """

    embedding: Float[Tensor, "frames dim"]
    text: Float[Tensor, "frames mels"]
    energy: Float[Tensor, "frames 1"]

    def joined(self) -> Float[Tensor, "frames channels"]:
        """Return all side by side: what the audio mapper takes."""
        return torch.cat([self.embedding, self.text, self.energy], -1)


class AcousticReader:
    """Timed speech -> acoustic features.

    The text encoder listens to one voice whoever speaks, so that lips move by what is said.

    Args:
        acoustic: The acoustic model.
        voice: The voice that its text encoder is given.
    """

    def __init__(self, acoustic: MatchaTTS, voice: MatchaVoice) -> None:
        self._acoustic = acoustic.eval().requires_grad_(False)
        self._voice = voice
        self._mel = MelSpectrogram()

    @classmethod
    def load(cls, folder: Path = SPEECH_WEIGHTS) -> "AcousticReader":
        """Return the reader with the acoustic model that comes in the package.

        Raises:
            CheckpointError: If its weights are absent, damaged or do not fit.
        """
        path = folder / "matcha.safetensors"
        card = load_card(path)
        try:
            acoustic = MatchaTTS(MatchaConfig.model_validate(card["config"]))
            manner = card["manner"]
            voice = MatchaVoice(
                speaker_embedding=torch.tensor([manner["prosody_embedding"]]),
                log2_f0_mean=torch.tensor([manner["prosody_log2_f0"]]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"The card of {path} does not fit: {error}.") from error
        load_module(acoustic, path)
        return cls(acoustic, voice)

    def __call__(self, speech: Speech) -> AcousticFeatures:
        """Return the features of a sentence: round(100 x seconds) frames.

        Raises:
            InputError: If it has no phones or an unknown one.
        """
        frames = max(1, round(speech.duration * FRAME_RATE))
        ids, tags, durations = timed_symbols(speech.phones, frames)
        rows = torch.tensor([ids]), torch.tensor([tags]), torch.tensor([durations])
        with torch.inference_mode():
            plan = self._acoustic.plan(
                rows[0], torch.tensor([len(ids)]), rows[1], self._voice, durations=rows[2]
            )
            tokens = frame_tokens(rows[2], frames)
            encoder = self._acoustic.encoder
            scale = encoder.emb.weight.shape[1] ** 0.5
            embedding = functional.embedding(rows[0], encoder.emb.weight) * scale
            return AcousticFeatures(
                embedding=expand(embedding, tokens)[0].clone(),
                text=expand(plan.mu, tokens)[0].clone(),
                energy=self._energy(speech, frames).clone(),
            )

    def _energy(self, speech: Speech, frames: int) -> Tensor:
        settings = self._mel.settings
        sound = speech.waveform
        if speech.sample_rate != settings.sample_rate:
            sound = soxr.resample(sound, speech.sample_rate, settings.sample_rate)
        wanted = frames * settings.hop_length
        sound = np.pad(sound, (0, max(0, wanted - len(sound))))[:wanted].astype(np.float32)
        mel = self._mel(torch.from_numpy(sound)[None])[0].T
        normed = (mel - self._acoustic.mel_mean) / self._acoustic.mel_std
        return normed.mean(-1, keepdim=True)


def timed_symbols(phones: Sequence[Phone], frames: int) -> tuple[list[int], list[int], list[int]]:
    """Return symbols, tags and durations of timed phones; the durations sum to `frames`.

    Pauses inside are plain silence, the last one is a full stop.  A phone that is shorter than
    half a frame and gets none is left out.

    Raises:
        InputError: If there is no phone or an unknown one.
    """
    if not phones:
        raise InputError("Speech without phones cannot drive a face.")
    ends = np.round(np.array([phone.end for phone in phones]) * FRAME_RATE)
    ends = np.minimum.accumulate(np.clip(ends, 0, frames)[::-1])[::-1].astype(int)
    ends[-1] = frames
    rows: list[tuple[int, int, int]] = []
    word = before = -1
    for index, (phone, end) in enumerate(zip(phones, ends.tolist(), strict=True)):
        start, before = max(before, 0), end
        if end > start:
            rows.append((*_symbol(phone, word, index == len(phones) - 1), end - start))
            word = phone.word
    ids, tags, durations = zip(*rows, strict=True)
    return list(ids), list(tags), list(durations)


def _symbol(phone: Phone, word: int, last: bool) -> tuple[int, int]:
    if phone.name == SILENCE:
        return symbol_id(_FULL_STOP if last else SILENCE), PAUSE_TAG
    name = f"{phone.name}{phone.stress}"
    try:
        symbol = symbol_id(name)
    except InputError:
        symbol = symbol_id(phone.name)
    return symbol, INTERNAL_TAG if phone.word == word else INITIAL_TAG
