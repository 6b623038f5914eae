"""The photo of the demo: NASA's public-domain portrait of Eileen Collins.

It comes with scikit-image (`skimage.data.astronaut`), which is no dependency of
facevox itself.  `python -m facevox.app.demo_portrait FILE.png` writes it.
"""

import sys
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from facevox.core.errors import FacevoxError, MissingPiece


def demo_portrait() -> UInt8[np.ndarray, "512 512 3"]:
    """Return the demo photo.

    Raises:
        MissingPiece: If scikit-image is not installed.
    """
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise MissingPiece(
            "The demo photo comes with scikit-image, which is not installed; "
            "run `pip install scikit-image` or give a photo of your own."
        ) from error
    return astronaut()


def main(path: str) -> None:
    """Write the demo photo to a file."""
    from PIL import Image

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(demo_portrait()).save(path)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except FacevoxError as error:
        sys.exit(f"facevox: {error}")
