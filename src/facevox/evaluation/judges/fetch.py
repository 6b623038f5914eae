"""Fetching files of judges: out of a wheel on PyPI, or from an address."""

import http.client
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facevox.core.errors import CheckpointError, MissingPiece

Progress = Callable[[float], None]
"""Called with the fraction that is done, 0 to 1."""

_BLOCK = 1 << 18
_PATIENCE = 30.0
"""Seconds without a byte after which a download is given up."""


def fetch_from_wheel(carrier: str, member: str, target: Path) -> None:
    """Download a wheel with pip and write one file of it to `target`; nothing is installed.

    Args:
        carrier: Requirement with its version pinned, such as `speechmos==0.0.1.1`.
        member: Path of the file inside the wheel.
        target: Where it goes; overwritten.

    Raises:
        MissingPiece: If pip is absent or cannot get the wheel.
        CheckpointError: If the wheel is damaged or has no such file.
        OSError: If `target` cannot be written.
    """
    with tempfile.TemporaryDirectory() as scratch:
        take_from_wheel(_download_wheel(carrier, Path(scratch)), member, target)


def take_from_wheel(wheel: Path, member: str, target: Path) -> None:
    """Write one file of a wheel to `target`.

    Raises:
        CheckpointError: If the wheel is damaged or has no such file.
        OSError: If `target` cannot be written.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(member)
    except KeyError:
        raise CheckpointError(
            f"{wheel.name} holds no {member}; it is not the version that facevox knows."
        ) from None
    except (zipfile.BadZipFile, OSError) as error:
        raise CheckpointError(
            f"{wheel.name} cannot be opened as a wheel ({error}); download it again."
        ) from error
    target.write_bytes(content)


def _download_wheel(carrier: str, folder: Path) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary=:all:", "--dest", str(folder), carrier),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        faults = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        lines = faults or done.stderr.strip().splitlines() or ["pip gave no reason"]
        project, _, version = carrier.partition("==")
        raise MissingPiece(
            f"pip could not download {carrier} ({lines[-1].removeprefix('ERROR: ')}); check the "
            f"connection, or take the wheel of version {version} from "
            f"https://pypi.org/project/{project} and give it to facevox judges add."
        )
    return wheels[0]


def fetch_from_url(url: str, target: Path, progress: Progress | None = None) -> None:
    """Download a file.

    Args:
        url: Where it is.
        target: Where it goes; overwritten.
        progress: Called now and then, if the size is known.

    Raises:
        MissingPiece: If it cannot be reached or breaks off.
        OSError: If `target` cannot be written.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "facevox"})
    try:
        response = urllib.request.urlopen(request, timeout=_PATIENCE)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, OSError) as error:
        raise MissingPiece(_no_download(url, error)) from error
    with response, target.open("wb") as stream:
        expected = int(response.headers.get("Content-Length") or 0)
        received = 0
        while block := _read_block(response, url):
            stream.write(block)
            received += len(block)
            if progress and expected:
                progress(received / expected)
    if expected and received != expected:
        raise MissingPiece(_no_download(url, f"it broke off after {received} of {expected} bytes"))


def _read_block(response: Any, url: str) -> bytes:
    """Read on, telling a broken connection from a disk that is full."""
    try:
        return response.read(_BLOCK)
    except (http.client.HTTPException, TimeoutError, OSError) as error:
        raise MissingPiece(_no_download(url, error)) from error


def _no_download(url: str, error: object) -> str:
    reason = getattr(error, "reason", None) or error
    return (
        f"{url} could not be downloaded ({reason}); check the connection and try again, or "
        "download it elsewhere and give the file to facevox judges add."
    )
