"""Names of the speech engines; each is imported when it is asked for."""

from importlib import import_module

from facevox.core.errors import InputError
from facevox.models.speech.engine import SpeechEngine

ENGINES = {
    "flite": "facevox.models.speech.flite:FliteEngine",
    "matcha": "facevox.models.speech.matcha_engine:MatchaEngine",
}
"""Name, as `Voice.engine` says it -> module:class.  A class has a `load()` that takes nothing."""


def load_engine(name: str) -> SpeechEngine:
    """Return a speech engine, ready to speak.

    Args:
        name: One of `ENGINES`.

    Raises:
        InputError: If there is no such engine.
        MissingPiece: If something that it needs is not installed.
        CheckpointError: If its weights are absent or damaged.
    """
    if name not in ENGINES:
        raise InputError(
            f"There is no speech engine {name!r}; there are: {', '.join(sorted(ENGINES))}."
        )
    module, _, attribute = ENGINES[name].partition(":")
    return getattr(import_module(module), attribute).load()
