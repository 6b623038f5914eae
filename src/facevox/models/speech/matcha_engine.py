"""The neural voice: Matcha plans and draws a mel, a vocoder makes the sound.

Durations and melody are planned before any sound exists; there the sliders act.  Timing and
melody follow a speaker who was recorded long enough to learn them from, whosever the timbre.
"""

import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from facevox.core.checkpoint import SPEECH_WEIGHTS, load_card, load_module
from facevox.core.errors import CheckpointError, InputError, MissingPiece
from facevox.core.speech import SILENCE, Phone, Speech
from facevox.core.text.phones import VOWELS
from facevox.core.text.sentence import Sentence
from facevox.core.voice import Voice
from facevox.models.speech.acoustic_features import AcousticReader
from facevox.models.speech.matcha.batch import SpeechPlan
from facevox.models.speech.matcha.config import MatchaConfig
from facevox.models.speech.matcha.matcha import MatchaTTS, MatchaVoice
from facevox.models.speech.matcha.symbols import SYMBOLS, sentence_tokens, token_words
from facevox.models.speech.mel import MelSettings
from facevox.models.speech.mel_shape import contrast_matrix, deepen_silence, warp_matrix
from facevox.models.speech.melody import set_melody
from facevox.models.speech.segment import Segment
from facevox.models.speech.settings import Settings, check_words, finish, settings_of
from facevox.models.speech.timeline import LEAD, PAUSES
from facevox.models.speech.vocoders.harmonic import HarmonicVocoder, HarmonicVocoderConfig
from facevox.models.speech.vocoders.streaming import synthesise_in_pieces
from facevox.models.speech.vocoders.vocoder import Vocoder

FRAME_SHIFT = 0.01
"""Length of a mel frame [s]."""

_FRAMES_AT_ONCE = 400
_SONORANTS = frozenset(VOWELS) | frozenset("l m n ng r w y".split())
_SONORANT = torch.tensor([name.rstrip("012") in _SONORANTS for name in SYMBOLS])
_MORE_VOICING = 3.0
_SHORTEST_WORD = 0.07
_EDGE = 0.03  # sound next to a pause that is kept: closures and breath belong to the phones


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How this model speaks when nothing is asked for; chosen on sentences of its own.

    Attributes:
        prosody_embedding: Whose tempo and melody are followed.
        prosody_log2_f0: Mean of log2 F0 of that speaker [octaves above 1 Hz].
        length_scale: Factor on durations.
        f0_spread: Factor on the melody: a mean of melodies is flatter than any of them.
        steps: Steps of the solver.
        temperature: Deviation of the noise that the flow starts from.
        contrast: Factor on the detail of spectral envelopes, which a mean flattens.
        quiet_below: Log-mel below which sound is made quieter; the training data end at a
            floor above that.
        quiet_slope: How much quieter.
    """

    prosody_embedding: tuple[float, ...]
    prosody_log2_f0: float
    length_scale: float = 1.0
    f0_spread: float = 1.0
    steps: int = 6
    temperature: float = 0.667
    contrast: float = 1.0
    quiet_below: float = -5.5
    quiet_slope: float = 0.0


class MatchaEngine:
    """Speaks English with any voice that has a speaker embedding.

    Args:
        acoustic: Text and voice -> mel and melody.
        vocoder: Mel and melody -> sound.
        manner: Tempo, melody and solver when nothing is asked for.
        voices: Named voices that come with the weights.

    Attributes:
        name: "matcha".
        sample_rate: 16 kHz.
    """

    name = "matcha"

    def __init__(
        self,
        acoustic: MatchaTTS,
        vocoder: Vocoder,
        manner: Manner,
        voices: dict[str, Voice] | None = None,
    ) -> None:
        self._acoustic = acoustic.eval().requires_grad_(False)
        self._vocoder, self.manner = vocoder, manner
        self._voices = dict(voices or {})
        self.sample_rate = vocoder.sample_rate
        self._bands = MelSettings(n_mels=acoustic.config.n_mels)

    @classmethod
    def load(cls, folder: Path = SPEECH_WEIGHTS) -> "MatchaEngine":
        """Return the engine with the weights that come in the package, or others like them.

        Raises:
            MissingPiece: If there are no weights.
            CheckpointError: If weights are damaged or do not fit their card.
        """
        path, vocoder_path = folder / "matcha.safetensors", folder / "vocoder.safetensors"
        for needed in (path, vocoder_path):
            if not needed.is_file():
                raise MissingPiece(
                    f"The neural voice has no weights here ({needed}); train them as "
                    "docs/training.md says, or use the engine flite."
                )
        card = load_card(path)
        vocoder_card = load_card(vocoder_path)
        try:
            acoustic = MatchaTTS(MatchaConfig.model_validate(card["config"]))
            manner = dict(card["manner"])
            manner["prosody_embedding"] = tuple(manner["prosody_embedding"])
            chosen = Manner(**manner)
            sizes = HarmonicVocoderConfig.model_validate(vocoder_card["config"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"The cards in {folder} do not fit: {error}.") from error
        voices = {n: Voice.from_dict(v, origin=n) for n, v in card.get("voices", {}).items()}
        vocoder = HarmonicVocoder(sizes).eval().requires_grad_(False)
        load_module(acoustic, path)
        load_module(vocoder, vocoder_path)
        return cls(acoustic, vocoder, chosen, voices)

    @property
    def num_parameters(self) -> int:
        """Numbers that were learned."""
        modules = [m for m in (self._acoustic, self._vocoder) if isinstance(m, torch.nn.Module)]
        return sum(p.numel() for module in modules for p in module.parameters())

    def base_voices(self) -> tuple[str, ...]:
        """Return the names of the voices that come with the weights."""
        return tuple(self._voices)

    def base_voice(self, name: str) -> Voice:
        """Return a voice that comes with the weights.

        Raises:
            InputError: If there is none of that name.
        """
        if name not in self._voices:
            known = ", ".join(self._voices) or "none"
            raise InputError(f"The neural voice {name!r} is unknown; there are: {known}.")
        return self._voices[name]

    def speak(self, sentence: Sentence, voice: Voice) -> Speech:
        """Speak one sentence; the same arguments give the same samples.

        The pause after the sentence belongs to the sound; all pauses follow the rate.

        Raises:
            InputError: If the voice is not one of this engine's, or nothing is to be said.
        """
        if voice.engine != self.name:
            raise InputError(
                f"The neural engine speaks voices of {self.name!r}, got one of {voice.engine!r}."
            )
        check_words(sentence)
        settings = settings_of(voice)
        seed = zlib.crc32(" ".join(word.text for word in sentence.words).encode())
        with torch.inference_mode():
            plan = self._plan(sentence, self._embedding(voice), voice, settings)
            manner = self.manner
            contrast = contrast_matrix(manner.contrast, self._acoustic.config.n_mels)
            mel = self._acoustic.decode(
                plan,
                [seed],
                steps=manner.steps,
                temperature=manner.temperature,
                shaping=warp_matrix(settings.vocal_tract, self._bands) @ contrast,
            )
            mel = deepen_silence(mel, manner.quiet_below, manner.quiet_slope)
            assert plan.f0 is not None
            pieces = synthesise_in_pieces(self._vocoder, mel, plan.f0, _FRAMES_AT_ONCE, seed)
            sound = torch.cat([piece[0] for piece in pieces]).numpy()
        durations = plan.durations[0].numpy()
        phones = _timed_phones(sentence, durations)
        sound = _quiet_pauses(sound, phones, self.sample_rate)
        return Speech(
            waveform=finish(sound, self.sample_rate, settings),
            sample_rate=self.sample_rate,
            phones=phones,
            f0=np.append(plan.f0[0].numpy(), np.float32(0)).astype(np.float32),
            words=tuple(word.text for word in sentence.words),
        )

    def acoustic_reader(self) -> AcousticReader:
        """Return a reader of acoustic features that shares this engine's acoustic model."""
        manner = self.manner
        embedding = np.array(manner.prosody_embedding, np.float32)
        return AcousticReader(self._acoustic, _voice_row(embedding, manner.prosody_log2_f0))

    def _embedding(self, voice: Voice) -> Float32[np.ndarray, " dim"]:
        if voice.speaker_embedding is None and voice.base:
            return self.base_voice(voice.base).embedding()
        return voice.embedding()

    def _plan(
        self,
        sentence: Sentence,
        embedding: Float32[np.ndarray, " dim"],
        voice: Voice,
        settings: Settings,
    ) -> SpeechPlan:
        ids, tags = (torch.tensor([row]) for row in sentence_tokens(sentence))
        lengths = torch.tensor([ids.shape[1]])
        manner = self.manner
        timbre = _voice_row(embedding, float(np.log2(voice.f0_mean)))
        prosody = _voice_row(np.array(manner.prosody_embedding, np.float32), manner.prosody_log2_f0)

        def at_tempo(durations: Tensor) -> Tensor:
            timed = _at_tempo(durations[0].numpy(), ids[0], sentence, settings.rate)
            return torch.from_numpy(timed)[None]

        plan = self._acoustic.plan(
            ids,
            lengths,
            tags,
            timbre,
            prosody,
            manner.length_scale,
            durations=at_tempo,
            voicing=_voicing(ids),
        )
        assert plan.f0 is not None
        f0 = set_melody(
            plan.f0[0].numpy(),
            _segments(sentence, plan.durations[0].numpy()),
            sentence,
            settings.f0_mean,
            settings.f0_range * manner.f0_spread,
            FRAME_SHIFT,
        )
        mean = torch.tensor([np.log2(settings.f0_mean)], dtype=torch.float32)
        return replace(plan, f0=torch.from_numpy(f0)[None], log2_f0_mean=mean)


def _voicing(ids: Tensor) -> Tensor:
    """Return what is added to the logit of voicing of each symbol.

    Trackers lose the creaky ends of sentences; a model that learnt from them whispers there.
    """
    return _MORE_VOICING * _SONORANT[ids]


def _voice_row(embedding: Float32[np.ndarray, " dim"], log2_f0: float) -> MatchaVoice:
    return MatchaVoice(
        speaker_embedding=torch.from_numpy(embedding)[None],
        log2_f0_mean=torch.tensor([log2_f0], dtype=torch.float32),
    )


def _at_tempo(durations: np.ndarray, ids: Tensor, sentence: Sentence, rate: float) -> np.ndarray:
    """Set pauses to what the text asks for and stretch all to the rate; none below a frame.

    A word of one phone ("a") is held long enough to be heard.
    """
    wanted = durations.astype(np.float64)
    names = [SYMBOLS[int(index)] for index in ids]
    for index, name in enumerate(names):
        if name in PAUSES and name:
            wanted[index] = PAUSES[name] / FRAME_SHIFT
    for index, phones in enumerate(_phones_of_word(sentence)):
        if phones == 1:
            wanted[index] = max(wanted[index], _SHORTEST_WORD / FRAME_SHIFT)
    wanted[0] = LEAD / FRAME_SHIFT
    wanted[-1] = sentence.pause / FRAME_SHIFT
    borders = np.round(np.cumsum(wanted) / rate).astype(np.int64)
    return np.maximum(np.diff(borders, prepend=0), 1)


def _phones_of_word(sentence: Sentence) -> list[int]:
    """Return for each token how many phones its word has, 0 for a pause."""
    counts = [len(word.phones) for word in sentence.words]
    return [counts[word] if word >= 0 else 0 for word in token_words(sentence)]


def _segments(sentence: Sentence, durations: np.ndarray) -> list[Segment]:
    ends = np.cumsum(durations) * FRAME_SHIFT
    spoken = [phone for word in sentence.words for phone in word.phones]
    following = iter(spoken)
    segments = []
    for word, end in zip(token_words(sentence), ends, strict=True):
        phone = next(following) if word >= 0 else SILENCE
        segments.append(
            Segment(
                name=phone.rstrip("012"), end=float(end), stressed=phone[-1] in "12", token=word
            )
        )
    return segments


def _timed_phones(sentence: Sentence, durations: np.ndarray) -> tuple[Phone, ...]:
    phones: list[Phone] = []
    names = iter(phone for word in sentence.words for phone in word.phones)
    start = 0.0
    for word, end in zip(token_words(sentence), np.cumsum(durations) * FRAME_SHIFT, strict=True):
        name = next(names) if word >= 0 else SILENCE
        stress = int(name[-1]) if name[-1].isdigit() else 0
        phones.append(
            Phone(name=name.rstrip("012"), start=start, end=float(end), stress=stress, word=word)
        )
        start = float(end)
    return tuple(phones)


def _quiet_pauses(
    sound: Float32[np.ndarray, " samples"], phones: tuple[Phone, ...], sample_rate: int
) -> Float32[np.ndarray, " samples"]:
    """Fade what lies inside pauses to nothing."""
    times = np.arange(len(sound)) / sample_rate
    gain = np.ones(len(sound), np.float32)
    for phone in phones:
        if phone.name != SILENCE:
            continue
        first, last = round(phone.start * sample_rate), round(phone.end * sample_rate)
        inside = times[first:last]
        # the start of the sentence has nothing before it, the end nothing after it
        before = inside - phone.start if phone.start > 0 else np.full(len(inside), np.inf)
        after = phone.end - inside if phone is not phones[-1] else np.full(len(inside), np.inf)
        gain[first:last] = np.clip(1 - (np.minimum(before, after) - _EDGE) / _EDGE, 0, 1)
    return sound * gain
