"""Recordings -> batches for the acoustic model, with other sizes of speakers."""

import io
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from facevox.core.errors import ConfigError, DataError
from facevox.data.noise_gate import gate_noise
from facevox.data.resized_speaker import resize_speaker
from facevox.data.speech.settings import SAMPLE_RATE
from facevox.data.spoken_samples import SpokenSample
from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.pitch_predictor import REFERENCE_LOG2_F0
from facevox.models.speech.matcha.symbols import symbol_id
from facevox.models.speech.mel import MelSpectrogram
from facevox.models.speech.speaker_encoder import SpeakerEncoder
from facevox.recipes.face_identity import load_face_identity
from facevox.recipes.matcha_settings import MatchaSettings

IdentityNetwork = Callable[[Tensor], Tensor]
"""Pictures (batch, 3, 256, 256) in [-1, 1] -> identity features (batch, 512)."""


class BatchMaker:
    """Makes batches as the settings say.

    Args:
        settings: Of the recipe.
    """

    def __init__(self, settings: MatchaSettings) -> None:
        self._settings = settings

    def make(
        self, samples: Sequence[SpokenSample], generator: np.random.Generator | None
    ) -> MatchaBatch:
        """Return a batch.

        Args:
            samples: Recordings.
            generator: Draws sizes, pictures and noise; None changes nothing.

        Raises:
            DataError: If a recording lacks what the condition needs.
            ConfigError: If there is no identity network.
        """
        rows = [self._row(sample, generator) for sample in samples]
        ids, tags, durations, mel, f0, voice, means = zip(*rows, strict=True)
        return MatchaBatch(
            ids=_padded(ids),
            id_lengths=torch.tensor([len(row) for row in ids]),
            tags=_padded(tags),
            durations=_padded(durations),
            mel=_padded([row.T for row in mel]).transpose(1, 2).contiguous(),
            mel_lengths=torch.tensor([row.shape[1] for row in mel]),
            f0=_padded(f0),
            speaker_embedding=torch.stack(voice),
            log2_f0_mean=torch.tensor(means),
        )

    def _row(self, sample: SpokenSample, generator: np.random.Generator | None) -> tuple:
        data, speech = self._settings.data, sample.speech
        factor = 1.0
        if generator is not None and data.sizes and generator.random() < data.resized_share:
            factor = float(generator.choice(data.sizes))
        speech = resize_speaker(speech, factor)
        voice = self._voice(sample, speech.waveform, factor, generator)
        sound = speech.waveform
        if sample.corpus in data.gated:
            sound = gate_noise(sound, SAMPLE_RATE)
        with torch.no_grad():
            mel = self._front(torch.from_numpy(sound)[None])[0].clamp(min=data.floor)
        voiced = speech.f0[speech.f0 > 0]
        known = len(voiced) and self._settings.model.condition == "speaker"
        mean = float(np.log2(voiced).mean()) if known else REFERENCE_LOG2_F0
        ids = torch.tensor([symbol_id(symbol) for symbol in sample.symbols])
        return (
            ids,
            torch.tensor(sample.tags),
            torch.from_numpy(speech.durations),
            mel,
            torch.from_numpy(speech.f0),
            voice,
            mean,
        )

    def _voice(
        self,
        sample: SpokenSample,
        waveform: Float32[np.ndarray, " samples"],
        factor: float,
        generator: np.random.Generator | None,
    ) -> Float32[Tensor, " dim"]:
        if self._settings.model.condition == "face":
            return self._seen(sample, generator)
        embedding = sample.speaker_embedding
        if embedding is None or factor != 1.0:
            embedding = self._encoder.embed(waveform)
        if generator is not None:
            noise = generator.standard_normal(len(embedding)).astype(np.float32)
            embedding = embedding + self._settings.data.embedding_noise * noise
        return torch.from_numpy(embedding / np.linalg.norm(embedding))

    def _seen(
        self, sample: SpokenSample, generator: np.random.Generator | None
    ) -> Float32[Tensor, " dim"]:
        """Return the identity in one of the pictures, another one each time."""
        from PIL import Image

        if not sample.faces:
            raise DataError(
                f"The sample {sample.name} has no picture of a face; prepare a corpus of videos."
            )
        number = 0 if generator is None else int(generator.integers(len(sample.faces)))
        with Image.open(io.BytesIO(sample.faces[number])) as image:
            pixels = np.asarray(image.convert("RGB").resize((256, 256)), np.float32)
        picture = torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)[None]
        with torch.no_grad():
            feature = self._identity(picture)[0].float()
        return feature / feature.norm().clamp(min=1e-6)

    @cached_property
    def _front(self) -> MelSpectrogram:
        return MelSpectrogram()

    @cached_property
    def _encoder(self) -> SpeakerEncoder:
        path = self._settings.model.encoder
        return SpeakerEncoder.load(None if path is None else Path(path))

    @cached_property
    def _identity(self) -> IdentityNetwork:
        name = self._settings.model.identity
        if name is None:
            raise ConfigError(
                "A voice from the face needs model.identity: the generator.safetensors of a "
                "run of ttsf-warmup, or MODULE:FUNCTION, which returns the network that sees it."
            )
        path, _, what = name.partition("?")
        if path.endswith(".safetensors"):
            return load_face_identity(Path(path), motion=what == "motion")
        module, _, function = name.partition(":")
        try:
            return getattr(import_module(module), function)()
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(f"There is no identity network {name!r} ({error}).") from error


def _padded(rows: Sequence[Tensor]) -> Tensor:
    return nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
