"""facevox: a portrait photo and a text become a talking-face video.

    import facevox
    system = facevox.load("lite")
    system.generate("portrait.jpg", "Hello there.", seed=0).save("hello.mp4")

The public names are resolved on first use, so that `import facevox` is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facevox.core.clock import Clock as Clock
    from facevox.core.controls import Controls as Controls
    from facevox.core.errors import FacevoxError as FacevoxError
    from facevox.core.portrait.portrait import Portrait as Portrait
    from facevox.core.speech import Speech as Speech
    from facevox.core.talking_face import TalkingFace as TalkingFace
    from facevox.core.voice import Voice as Voice
    from facevox.systems.registry import load as load
    from facevox.systems.system import System as System

__version__ = "0.1.0"

_PUBLIC = {
    "Clock": "facevox.core.clock",
    "Controls": "facevox.core.controls",
    "FacevoxError": "facevox.core.errors",
    "Portrait": "facevox.core.portrait.portrait",
    "Speech": "facevox.core.speech",
    "System": "facevox.systems.system",
    "TalkingFace": "facevox.core.talking_face",
    "Voice": "facevox.core.voice",
    "load": "facevox.systems.registry",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'facevox' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
