"""`facevox doctor`: names the missing piece."""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

import typer

from facevox.app import options


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        piece: What it is.
        ok: Whether it works.
        detail: What was found, or what to do.
        needed: Whether facevox cannot run without it.
    """

    piece: str
    ok: bool
    detail: str
    needed: bool = True


def doctor(as_json: options.JsonOption = False) -> None:
    """Check everything that facevox needs on this machine; exit with 2 if a piece is missing."""
    findings = [_examine(piece, check) for piece, check in CHECKS.items()]
    healthy = all(finding.ok for finding in findings if finding.needed)
    if as_json:
        facts = {"healthy": healthy, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        for finding in findings:
            mark = "ok     " if finding.ok else ("MISSING" if finding.needed else "absent ")
            sys.stdout.write(f"{mark} {finding.piece:18} {finding.detail}\n")
        sys.stdout.write("Everything is in place.\n" if healthy else "")
    if not healthy:
        raise typer.Exit(2)


def _examine(piece: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(piece, True, check(), piece not in OPTIONAL)
    except Exception as error:  # a doctor reports every kind of failure
        return Finding(piece, False, str(error) or type(error).__name__, piece not in OPTIONAL)


def _python() -> str:
    import platform

    return platform.python_version()


def _torch() -> str:
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{torch.__version__} on {device}"


def _face_models() -> str:
    import numpy as np

    from facevox.core.errors import NoFaceFound
    from facevox.core.portrait.reader import read_portrait

    with suppress(NoFaceFound):
        read_portrait(np.full((128, 128, 3), 128, np.uint8), box=(16.0, 16.0, 112.0, 112.0))
    return "MediaPipe face detection and face mesh"


def _weights() -> str:
    from facevox.core.checkpoint import installed_weights
    from facevox.models.bridge.face_to_voice import FaceToVoice
    from facevox.models.face.face_motion import FaceMotion

    FaceToVoice.load()
    FaceMotion.load()
    total = sum(row["bytes"] for row in installed_weights())
    return f"{total / 1e6:.1f} MB in the package"


def _speech() -> str:
    from facevox.core.errors import MissingPiece
    from facevox.models.speech.registry import load_engine

    neural = "neural voices " + ", ".join(load_engine("matcha").base_voices())
    try:
        return f"flite voices {', '.join(load_engine('flite').base_voices())}; {neural}"
    except MissingPiece as error:
        return f"{neural}; without flite ({error})"


def _text() -> str:
    from facevox.core.text.phones import word_phones

    return "gruut says facevox as " + " ".join(word_phones("facevox"))


def _video() -> str:
    import av
    from av.codec import Codec

    for name in ("libx264", "aac"):
        Codec(name, "w")
    return f"PyAV {av.__version__} with h264 and aac"


def _disk() -> str:
    import shutil
    import tempfile

    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < 200e6:
        raise RuntimeError(f"Only {free / 1e6:.0f} MB free in {folder}; free some space.")
    return f"{free / 1e9:.0f} GB free in {folder}"


CHECKS: dict[str, Callable[[], str]] = {
    "python": _python,
    "torch": _torch,
    "face models": _face_models,
    "weights": _weights,
    "text front end": _text,
    "speech engine": _speech,
    "video": _video,
    "disk": _disk,
}
OPTIONAL: set[str] = set()
