"""The C side of flite: structures, signatures, and opening its libraries."""

import ctypes
import sys
from ctypes import POINTER, c_char_p, c_float, c_int, c_short, c_void_p
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


class CWave(ctypes.Structure):
    """cst_wave."""

    _fields_ = [
        ("type", c_char_p),
        ("sample_rate", c_int),
        ("num_samples", c_int),
        ("num_channels", c_int),
        ("samples", POINTER(c_short)),
    ]


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
    "mlsa_resynthesis": (
        POINTER(CWave),
        [POINTER(CTrack), POINTER(CTrack), c_void_p, c_void_p, c_int],
    ),
    "delete_track": (None, [POINTER(CTrack)]),
    "delete_wave": (None, [POINTER(CWave)]),
}


class TrackView:
    """A numpy array dressed as a flite track; flite reads the array's own memory."""

    def __init__(self, columns: Float32[np.ndarray, "frames channels"]) -> None:
        self._columns = np.ascontiguousarray(columns, np.float32)
        frames, channels = self._columns.shape
        self._times = np.arange(max(frames, 2), dtype=np.float32) * np.float32(FRAME_SHIFT)
        rows = self._columns.ctypes.data + 4 * channels * np.arange(frames, dtype=np.uintp)
        self._rows = rows.astype(np.uintp)
        self._track = CTrack(
            None,
            frames,
            channels,
            self._times.ctypes.data_as(POINTER(c_float)),
            self._rows.ctypes.data_as(POINTER(POINTER(c_float))),
        )
        self.pointer = ctypes.pointer(self._track)


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
