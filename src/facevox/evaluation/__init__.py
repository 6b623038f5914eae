"""One honest evaluation of talking faces: every metric, its protocol beside its number.

    from facevox.evaluation import dcts, evaluate, frechet_distance

The public names are resolved on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facevox.evaluation.harness import evaluate as evaluate
    from facevox.evaluation.metrics.dcts import dcts as dcts
    from facevox.evaluation.metrics.frechet import frechet_distance as frechet_distance
    from facevox.evaluation.score import score_video as score_video
    from facevox.evaluation.speech.harness import evaluate_speech as evaluate_speech

_PUBLIC = {
    "dcts": "facevox.evaluation.metrics.dcts",
    "evaluate": "facevox.evaluation.harness",
    "evaluate_speech": "facevox.evaluation.speech.harness",
    "frechet_distance": "facevox.evaluation.metrics.frechet",
    "score_video": "facevox.evaluation.score",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'facevox.evaluation' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
