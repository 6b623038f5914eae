"""What all tests share: no network, the NASA portrait, the system `lite` loaded once."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(os.environ.get("FACEVOX_SHARED", Path(__file__).parents[2] / "shared"))
"""Optional faces, clips and the judge's landmark model; tests that need them skip without."""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(self, address, *args):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address, *args)

    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.exists():
        pytest.skip("the folder of shared faces and clips is not here")
    return SHARED


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    from skimage.data import astronaut

    return astronaut()


@pytest.fixture(scope="session")
def astronaut_file(astronaut, tmp_path_factory) -> Path:
    from PIL import Image

    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(astronaut).save(path)
    return path


@pytest.fixture(scope="session")
def drawn_astronaut(astronaut) -> np.ndarray:
    """The portrait in six flat colours."""
    import cv2

    small = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    cv2.setRNGSeed(0)
    end = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    _, _, palette = cv2.kmeans(small.astype(np.float32), 6, None, end, 1, cv2.KMEANS_PP_CENTERS)
    flat = cv2.medianBlur(astronaut, 5).astype(np.float32)
    return palette[((flat[:, :, None] - palette) ** 2).sum(-1).argmin(-1)].astype(np.uint8)


@pytest.fixture(scope="session")
def lite():
    from facevox.core.errors import MissingPiece
    from facevox.systems.registry import load

    try:
        return load("lite")
    except MissingPiece as error:
        pytest.skip(str(error))
