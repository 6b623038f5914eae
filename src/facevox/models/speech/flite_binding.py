"""The C side of flite: structures, signatures, and opening its libraries."""

import ctypes
import sys
from ctypes import POINTER, c_char_p, c_float, c_int, c_void_p
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import MissingPiece

FRAME_SHIFT = 0.005
"""Time between two parameter frames [s]."""

_MISSING = "The speech library flite is not installed; install it with: {command}"
_INSTALL = {
    "linux": "sudo apt-get install libflite1",
    "darwin": "brew install flite",
    "win32": "wsl sudo apt-get install libflite1 (and run facevox in WSL)",
}


class CUtterance(ctypes.Structure):
    """cst_utterance."""

    _fields_ = [(name, c_void_p) for name in ("features", "ffunctions", "relations", "ctx")]


class CTrack(ctypes.Structure):
    """cst_track."""

    _fields_ = [
        ("type", c_char_p),
        ("num_frames", c_int),
        ("num_channels", c_int),
        ("times", POINTER(c_float)),
        ("frames", POINTER(POINTER(c_float))),
    ]


SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "flite_init": (c_int, []),
    "new_utterance": (POINTER(CUtterance), []),
    "delete_utterance": (None, [POINTER(CUtterance)]),
    "utt_init": (c_void_p, [POINTER(CUtterance), c_void_p]),
    "utt_relation_create": (c_void_p, [POINTER(CUtterance), c_char_p]),
    "utt_relation": (c_void_p, [POINTER(CUtterance), c_char_p]),
    "utt_synth_tokens": (c_void_p, [POINTER(CUtterance)]),
    "relation_append": (c_void_p, [c_void_p, c_void_p]),
    "relation_head": (c_void_p, [c_void_p]),
    "item_next": (c_void_p, [c_void_p]),
    "item_set_string": (None, [c_void_p, c_char_p, c_char_p]),
    "item_feat_string": (c_char_p, [c_void_p, c_char_p]),
    "item_feat_float": (c_float, [c_void_p, c_char_p]),
    "ffeature_string": (c_char_p, [c_void_p, c_char_p]),
    "feat_set_int": (None, [c_void_p, c_char_p, c_int]),
    "feat_val": (c_void_p, [c_void_p, c_char_p]),
    "val_track": (POINTER(CTrack), [c_void_p]),
    "val_cg_db": (c_void_p, [c_void_p]),
    "mlpg": (POINTER(CTrack), [POINTER(CTrack), c_void_p]),
    "delete_track": (None, [POINTER(CTrack)]),
}


def read_track(track: Any) -> Float32[np.ndarray, "frames channels"]:
    """Copy a C track into an array."""
    content = track.contents
    rows = [
        np.ctypeslib.as_array(content.frames[index], (content.num_channels,))
        for index in range(content.num_frames)
    ]
    return np.array(rows, np.float32).reshape(content.num_frames, content.num_channels)


def open_library(stem: str) -> ctypes.CDLL:
    """Open a shared library of flite where Linux and macOS keep it.

    Raises:
        MissingPiece: If it is not there.
    """
    names = (f"{stem}.so.1", f"{stem}.so", f"{stem}.1.dylib", f"{stem}.dylib")
    folders = ("", "/opt/homebrew/lib/", "/usr/local/lib/")
    for name in (folder + name for name in names for folder in folders):
        try:
            # The voices find the library's symbols only if they are global.
            return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue
    command = _INSTALL.get(sys.platform, _INSTALL["linux"])
    raise MissingPiece(_MISSING.format(command=command))


def register_voice(voice: str) -> int:
    """Open a voice's library and return the address of its cst_voice."""
    register = getattr(open_library(f"libflite_cmu_us_{voice}"), f"register_cmu_us_{voice}")
    register.restype, register.argtypes = c_void_p, [c_char_p]
    return register(None)
