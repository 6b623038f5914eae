"""Which speakers a speaker encoder is trained on, and crops of them."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from facevox.core.waveform import resample
from facevox.data.speakers import SAMPLE_RATE, Utterance, by_hash, read_speakers
from facevox.models.speech.speech_statistics import bands, without_pauses

TRAINED = ("librispeech_train", "ljspeech", "kerstin_de", "reader", "grid")
UNHEARD = ("librispeech_other", "vctk")
NUM_UNHEARD = 30
"""Speakers of LibriSpeech that are measured and not trained on."""

SPEEDS = (0.89, 1.0, 1.12)
"""Resampled speech is another speaker: smaller and larger people than were recorded."""

CROP = 100
"""Length of a crop, 2 s [frames]."""


def split(data: Path) -> tuple[list[Utterance], list[Utterance], list[Utterance]]:
    """Return what is trained on, unheard single recordings, and unheard speakers' several."""
    utterances = read_speakers(data, TRAINED)
    names = [one.name for one in utterances if one.corpus == "librispeech_train"]
    unheard = set(by_hash(names)[:NUM_UNHEARD])
    others = read_speakers(data, UNHEARD)
    known = {one.speaker for one in others}
    heard = [one for one in utterances if one.name not in unheard and one.speaker not in known]
    return heard, [one for one in utterances if one.name in unheard], others


class Crops:
    """Crops of classes; a class is a speaker at a speed.

    Args:
        utterances: What may be heard.
        generator: Source of randomness.
    """

    def __init__(self, utterances: list[Utterance], generator: np.random.Generator) -> None:
        self._generator = generator
        self.speakers = sorted({one.speaker for one in utterances})
        self._sounds: list[list[np.ndarray]] = []
        for speaker in self.speakers:
            own = [without_pauses(one.waveform) for one in utterances if one.speaker == speaker]
            for speed in SPEEDS:
                changed = [resample(one, SAMPLE_RATE * speed, SAMPLE_RATE) for one in own]
                made = [bands(torch.from_numpy(one)[None])[0] for one in changed]
                self._sounds.append([one.half().numpy() for one in made])

    @property
    def num_classes(self) -> int:
        """Speakers times speeds."""
        return len(self._sounds)

    def draw(self, index: int, count: int) -> Float32[Tensor, "count frames 80"]:
        """Return crops of a class."""
        return torch.from_numpy(np.stack([self._crop(index) for _ in range(count)]))

    def _crop(self, index: int) -> np.ndarray:
        sounds = self._sounds[index]
        sound = sounds[self._generator.integers(len(sounds))]
        while len(sound) < CROP:
            sound = np.concatenate([sound, sound])
        start = self._generator.integers(len(sound) - CROP + 1)
        return sound[start : start + CROP].astype(np.float32)
