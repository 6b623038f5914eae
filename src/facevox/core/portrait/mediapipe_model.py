"""Running one of MediaPipe's small networks, loaded when it is first needed."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from facevox.core.errors import MissingPiece

FOLDER = Path(__file__).resolve().parents[2] / "weights" / "mediapipe"
NUM_THREADS = 2


class MediapipeModel:
    """A TFLite network of the MediaPipe project, called like a function.

    Safe to call from several threads; calls of one model run one after another.

    Args:
        name: File name without `.tflite` in `facevox/weights/mediapipe`.
        edit: Applied to the content of the file before it is loaded.
    """

    def __init__(self, name: str, edit: Callable[[bytes], bytes] | None = None) -> None:
        self.path = FOLDER / f"{name}.tflite"
        self._edit = edit
        self._lock = threading.Lock()

    def __call__(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run the network on inputs without a batch axis.

        Args:
            inputs: One float32 array per input of the network, in its order.

        Returns:
            The outputs without their batch axis, in the network's order.

        Raises:
            MissingPiece: If the file of the network is not installed or damaged.
        """
        with self._lock:
            interpreter, sources, sinks = self._loaded
            for (index, shape), array in zip(sources, inputs, strict=True):
                ready = np.ascontiguousarray(array, np.float32).reshape(shape)
                interpreter.set_tensor(index, ready)
            interpreter.invoke()
            return [interpreter.get_tensor(index)[0] for index in sinks]

    @cached_property
    def _loaded(self) -> tuple[Any, list[tuple[int, Any]], list[int]]:
        """Return the interpreter, its inputs (index, shape) and its outputs (index)."""
        if not self.path.is_file():
            raise MissingPiece(
                f"The face model {self.path.name} is not installed (expected in {FOLDER}); "
                "run `pip install --force-reinstall --no-deps facevox`, or in a checkout "
                "`pip install -e .`, which fetches it."
            )
        from ai_edge_litert.interpreter import Interpreter  # 0.1 s: only who reads a photo pays

        try:
            content = self.path.read_bytes()
            if self._edit:
                content = self._edit(content)
            with _muted_stderr():
                interpreter = Interpreter(model_content=content, num_threads=NUM_THREADS)
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError, ArithmeticError, LookupError, OSError) as error:
            raise MissingPiece(
                f"The face model {self.path} is damaged; delete it and install facevox again."
            ) from error
        sources = [(one["index"], one["shape"]) for one in interpreter.get_input_details()]
        return interpreter, sources, [one["index"] for one in interpreter.get_output_details()]


@contextlib.contextmanager
def _muted_stderr() -> Iterator[None]:
    """Keep the runtime's greeting, which no option silences, out of the user's terminal."""
    try:
        kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # a program without a terminal
        yield
        return
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
