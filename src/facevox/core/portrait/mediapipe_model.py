"""Running one of MediaPipe's small networks, loaded when it is first needed."""

import threading
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
    """

    def __init__(self, name: str) -> None:
        self.path = FOLDER / f"{name}.tflite"
        self._lock = threading.Lock()

    def __call__(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run the network on inputs without a batch axis.

        Args:
            inputs: One float32 array per input of the network, in its order.

        Returns:
            The outputs, flattened, in the network's order.

        Raises:
            MissingPiece: If the file of the network is not installed.
        """
        with self._lock:
            interpreter = self._interpreter
            for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
                interpreter.set_tensor(
                    detail["index"],
                    np.ascontiguousarray(array, np.float32).reshape(detail["shape"]),
                )
            interpreter.invoke()
            return [
                interpreter.get_tensor(detail["index"]).reshape(-1)
                for detail in interpreter.get_output_details()
            ]

    @cached_property
    def _interpreter(self) -> Any:
        if not self.path.is_file():
            raise MissingPiece(
                f"The face model {self.path.name} is not installed (expected in {FOLDER}); "
                "run `pip install --force-reinstall --no-deps facevox`, or in a checkout "
                "`pip install -e .`, which fetches it."
            )
        from ai_edge_litert.interpreter import Interpreter  # 0.1 s: only who reads a photo pays

        try:
            interpreter = Interpreter(str(self.path), num_threads=NUM_THREADS)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise MissingPiece(
                f"The face model {self.path} is damaged; delete it and install facevox again."
            ) from error
        return interpreter
