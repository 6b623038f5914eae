"""The record of a run: CSV always, TensorBoard where it is installed, sounds and pictures."""

import contextlib
import csv
import io
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facevox.core.files import make_folder, write_atomically
from facevox.training.task import Samples

LOSSES, VALIDATION = "losses.csv", "validation.csv"


class RunLog:
    """Writes what a run measures into its folder.

    Args:
        folder: The run's folder; exists.
        step: Step at which the run goes on: rows of later steps, from a run that was killed
            after its last checkpoint, are dropped.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self.folder = folder
        self._tables = {name: _Table(folder / name, step) for name in (LOSSES, VALIDATION)}
        self._board = _open_tensorboard(folder / "tensorboard", step)

    def write(self, table: str, step: int, seconds: float, numbers: Mapping[str, float]) -> None:
        """Add a row to `LOSSES` or `VALIDATION`."""
        self._tables[table].add({"step": step, "seconds": round(seconds, 2), **numbers})
        if self._board is not None:
            for name, value in numbers.items():
                self._board.add_scalar(f"{table.partition('.')[0]}/{name}", value, step)

    def write_samples(self, step: int, samples: Samples) -> None:
        """Keep sounds and pictures of a validation under `samples/step-N`."""
        if not samples.waveforms and not samples.pictures:
            return
        folder = make_folder(self.folder / "samples" / f"step-{step:09d}")
        for name, waveform in samples.waveforms.items():
            sound = np.clip(np.asarray(waveform, np.float32), -1, 1)
            write_atomically(folder / f"{name}.wav", _as_wav(sound, samples.sample_rate))
            if self._board is not None:
                self._board.add_audio(name, sound[None], step, sample_rate=samples.sample_rate)
        for name, picture in samples.pictures.items():
            pixels = _as_rgb(np.asarray(picture))
            write_atomically(folder / f"{name}.png", _as_png(pixels))
            if self._board is not None:
                self._board.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write what is still in memory."""
        if self._board is not None:
            self._board.close()


class _Table:
    """A CSV file whose columns may grow."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        rows = read_table(path)
        self._rows = [row for row in rows if float(row.get("step") or 0) <= step]
        self._columns: list[str] = []
        for row in self._rows:
            self._columns += [name for name in row if name not in self._columns]
        if len(self._rows) != len(rows):
            self._rewrite()

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row; new columns rewrite the file."""
        texts = {name: _as_text(value) for name, value in row.items()}
        self._rows.append(texts)
        new = [name for name in texts if name not in self._columns]
        if new or not self.path.exists():
            self._columns += new
            self._rewrite()
            return
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow(texts)

    def _rewrite(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        writer.writeheader()
        writer.writerows(self._rows)
        write_atomically(self.path, text.getvalue().encode())


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none if it is absent; a torn last row is left out."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return []
    return [row for row in rows if None not in row.values() and None not in row]


def _as_text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _open_tensorboard(folder: Path, step: int) -> Any:
    with contextlib.suppress(ImportError):
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
    return None


def _as_wav(waveform: np.ndarray, sample_rate: int) -> bytes:
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.round(waveform * 32767).astype("<i2").tobytes())
    return memory.getvalue()


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    """Return (height, width, 3) uint8; a plane of numbers is drawn with row 0 below."""
    if picture.ndim == 3:
        return picture.astype(np.uint8)
    low, high = float(np.nanmin(picture)), float(np.nanmax(picture))
    grey = (np.nan_to_num(picture)[::-1] - low) / max(high - low, 1e-9)
    return np.repeat((grey * 255).astype(np.uint8)[..., None], 3, axis=-1)


def _as_png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "PNG")
    return memory.getvalue()
