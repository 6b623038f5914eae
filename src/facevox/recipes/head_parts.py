"""The parts of a talking head as one recipe hands them to the next: checkpoints in a folder.

`facevox train ttsf-warmup` writes those of `PARTS`, `facevox.recipes.ttsf_identity` adds
`LEFTOVER`, and `facevox.recipes.ttsf_bundle` makes one `TalkingHead` of them.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from facevox.core.errors import CheckpointError, InputError
from facevox.core.files import make_folder

PARTS = ("generator", "mouth", "motion", "seen")
"""Named as in `TalkingHead`."""

LEFTOVER = "leftover"
"""One tensor of that name: what motion leaves in f_id."""


def part_path(folder: Path, name: str) -> Path:
    """Return where a part lies; its card lies beside it."""
    return folder / f"{name}.safetensors"


def copy_parts(head: Path, out: Path, new: Sequence[str]) -> None:
    """Copy the parts that are there to another folder, but those that are written anew.

    Args:
        head: Folder of the parts; `mouth` to `seen` may be absent.
        out: Where they go.
        new: Names that are left out.

    Raises:
        InputError: If both are one folder.
        CheckpointError: If there is no generator.
    """
    if out.resolve() == head.resolve():
        raise InputError(f"{out} is the folder of the head itself; choose another with -o.")
    if not part_path(head, PARTS[0]).exists():
        raise CheckpointError(
            f"{head} holds no {PARTS[0]}.safetensors; give the folder that "
            "facevox train ttsf-warmup exported."
        )
    make_folder(out)
    for name in (*PARTS, LEFTOVER):
        path = part_path(head, name)
        if name not in new and path.exists():
            for file in (path, path.with_suffix(".json")):
                shutil.copyfile(file, out / file.name)
