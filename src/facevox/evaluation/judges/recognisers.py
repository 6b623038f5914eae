"""Speech recognisers, which write down what a clip says so that it can be counted.

Numbers of two recognisers are never comparable.  pocketsphinx is an old, small recogniser
that comes with its model and errs on clear recordings too, more than on plain synthetic voices:
its rates only rank systems.  Whisper is what papers use.

Reference:
    Huggins-Daines et al., PocketSphinx, ICASSP 2006; Radford et al., Robust speech
    recognition via large-scale weak supervision, 2022.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import CheckpointError, MissingPiece
from facevox.core.text.characters import fold
from facevox.core.text.normalize import iterate_words, normalize
from facevox.core.waveform import normalise_level
from facevox.evaluation.judges.registry import WHISPER_FILES

SAMPLE_RATE = 16_000
LONGEST_PIECE = 28.0
"""Longer sound is recognised in pieces [s]; Whisper hears 30 s at once."""

_WINDOW = 0.1
_MOST_TOKENS = 440  # of 448 positions; four say language, task and start

Waveform = Float32[np.ndarray, " samples"]


@runtime_checkable
class Recogniser(Protocol):
    """Writes down speech.

    Attributes:
        name: As it stands in tables.
        normaliser: What `normalise` is called.
    """

    name: str
    normaliser: str

    def transcribe(self, waveform: Waveform) -> str:
        """Return what is said; empty if nothing was understood.

        Args:
            waveform: Mono samples in [-1, 1] at 16 kHz.
        """
        ...

    def normalise(self, text: str) -> str:
        """Return a text as it is counted; used for what was said and what was heard."""
        ...


def cut_at_pauses(waveform: Waveform, longest: float = LONGEST_PIECE) -> Iterator[Waveform]:
    """Yield the sound in pieces of at most `longest` seconds.

    Each cut is in the middle of the quietest tenth of a second of the latter half of what a
    piece may hold.
    """
    window, limit = round(_WINDOW * SAMPLE_RATE), round(longest * SAMPLE_RATE)
    while len(waveform) > limit:
        first = limit // 2
        count = (limit - first) // window
        candidates = waveform[first : first + count * window].reshape(count, window)
        quietest = int((candidates.astype(np.float64) ** 2).sum(1).argmin())
        cut = first + quietest * window + window // 2
        yield waveform[:cut]
        waveform = waveform[cut:]
    yield waveform


def spoken_words(text: str) -> str:
    """Return a text as words to be spoken: lower case, numbers and abbreviations spelled out.

    Only letters and apostrophes within words remain.
    """
    items = normalize(fold(text).text)
    words = (word for word, _, _ in iterate_words(items))
    kept = ("".join(c for c in word.lower() if c.isalpha() or c == "'") for word in words)
    return " ".join(word for word in (k.strip("'") for k in kept) if word)


class PocketsphinxRecogniser:
    """pocketsphinx with the English model inside its wheel.

    Sound is brought to the same level first, because gain changes what is heard.  The
    front end starts anew for every piece: it keeps a running mean of its features, through
    which a clip would change the transcript of the next.
    """

    name = "pocketsphinx"
    normaliser = "facevox text normalisation: lower case, numbers spelled out, no punctuation"

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def transcribe(self, waveform: Waveform) -> str:
        """Return what is said."""
        level = normalise_level(waveform, SAMPLE_RATE)
        heard = [self._transcribe_piece(piece) for piece in cut_at_pauses(level)]
        return " ".join(text for text in heard if text)

    def normalise(self, text: str) -> str:
        """Return the words as they are spoken."""
        return spoken_words(text)

    def _transcribe_piece(self, piece: Waveform) -> str:
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        sound = (np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return found.hypstr if found is not None else ""


def load_pocketsphinx() -> PocketsphinxRecogniser:
    """Return pocketsphinx with its default English model.

    Raises:
        MissingPiece: If it is not installed.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise MissingPiece(
            "Word errors need pocketsphinx; run pip install 'facevox[evaluate]'."
        ) from error
    return PocketsphinxRecogniser(Decoder(loglevel="FATAL"))


class WhisperRecogniser:
    """A Whisper of Hugging Face transformers: greedy, English, transcription, no timestamps.

    Args:
        name: As it stands in tables.
        model: A `WhisperForConditionalGeneration`.
        features: Its feature extractor.
        tokenizer: Its tokenizer.
        normalise: Its normaliser of English text.
    """

    normaliser = "EnglishTextNormalizer of Whisper"

    def __init__(
        self,
        name: str,
        model: Any,
        features: Any,
        tokenizer: Any,
        normalise: Callable[[str], str],
    ) -> None:
        self.name = name
        self._model, self._features, self._tokenizer = model, features, tokenizer
        self._normalise = normalise

    def transcribe(self, waveform: Waveform) -> str:
        """Return what is said."""
        heard = [self._transcribe_piece(piece) for piece in cut_at_pauses(waveform)]
        return " ".join(text for text in heard if text)

    def normalise(self, text: str) -> str:
        """Return the text as Whisper's authors count it."""
        return self._normalise(text).strip()

    def _transcribe_piece(self, piece: Waveform) -> str:
        import torch

        spectrum = self._features(
            piece, sampling_rate=SAMPLE_RATE, return_tensors="pt", return_attention_mask=True
        )
        fixed: dict[str, Any] = {}
        if getattr(self._model.generation_config, "is_multilingual", True):
            fixed = {"language": "en", "task": "transcribe"}
        with torch.inference_mode():
            tokens = self._model.generate(
                spectrum.input_features.to(self._model.dtype),
                attention_mask=spectrum.attention_mask,
                do_sample=False,
                num_beams=1,
                max_new_tokens=min(_MOST_TOKENS, self._model.config.max_target_positions - 8),
                **fixed,
            )
        return str(self._tokenizer.decode(tokens[0], skip_special_tokens=True)).strip()


def load_whisper(path: Path) -> WhisperRecogniser:
    """Return the Whisper whose weights are `path`, with the files published beside it.

    Args:
        path: `model.safetensors` in a folder that also holds `WHISPER_FILES`; the folder's
            name becomes the name of the recogniser.

    Raises:
        CheckpointError: If a file is absent or the weights do not fit the configuration.
        MissingPiece: If transformers is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingPiece("Whisper needs transformers; run pip install transformers.") from error
    from facevox.evaluation.judges.checkpoint_file import load_strictly, read_state_dict

    folder = path.parent
    absent = [name for name in WHISPER_FILES if not (folder / name).is_file()]
    if absent:
        raise CheckpointError(
            f"{folder} lacks {', '.join(absent)}; fetch all files that are published with the "
            "weights."
        )
    state = read_state_dict(path)
    try:
        here: dict[str, Any] = {"local_files_only": True}
        config = transformers.WhisperConfig.from_pretrained(folder, **here)
        generation = transformers.GenerationConfig.from_pretrained(folder, **here)
        features = transformers.WhisperFeatureExtractor.from_pretrained(folder, **here)
        tokenizer = transformers.WhisperTokenizer.from_pretrained(folder, **here)
    except Exception as error:  # transformers raises many kinds for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{folder} is not a published Whisper ({reason}).") from error
    model: Any = transformers.WhisperForConditionalGeneration(config)
    # Published files leave out the output layer, which is the embedding of the tokens.
    if (embedding := state.get("model.decoder.embed_tokens.weight")) is not None:
        state.setdefault("proj_out.weight", embedding)
    load_strictly(model, state, str(path))
    model.tie_weights()
    model.generation_config = generation
    return WhisperRecogniser(folder.name, model, features, tokenizer, tokenizer.normalize)
