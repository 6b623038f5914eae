"""What every speech engine offers; systems know engines by this alone."""

from typing import Protocol, runtime_checkable

from facevox.core.speech import Speech
from facevox.core.text.sentence import Sentence
from facevox.core.voice import Voice


@runtime_checkable
class SpeechEngine(Protocol):
    """Turns a sentence into sound with phone times.

    Attributes:
        name: What `Voice.engine` says for its voices.
        sample_rate: Samples per second of every waveform it returns [Hz].
    """

    name: str
    sample_rate: int

    def base_voices(self) -> tuple[str, ...]:
        """Return the names that `Voice.base` may have."""
        ...

    def speak(self, sentence: Sentence, voice: Voice) -> Speech:
        """Speak one sentence; the same arguments give the same samples.

        Raises:
            InputError: If the voice is not one of this engine's.
            MissingPiece: If the engine is not installed.
        """
        ...
