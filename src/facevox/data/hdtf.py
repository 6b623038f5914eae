"""HDTF: speeches and interviews from the web, cut to faces of 512x512.

Layout: one folder of clips as its download scripts name them, `RD_Radio11_000.mp4`,
`WDA_NancyPelosi0_003.mp4`, `WRA_BobCorker_000.mp4` or, after the first instructions,
`Radio11_0.mp4`.  HDTF has no transcripts; `NAME.txt` beside a clip is taken as one.

Reference:
    Zhang, Li, Ding and Fan, Flow-guided one-shot talking face generation with a
    high-resolution audio-visual dataset, CVPR 2021.
"""

import re
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.recording import Recording

LAYOUT = "a folder of .mp4 clips such as WDA_NancyPelosi0_003.mp4, NAME.txt beside them if known"

_CLIP_NUMBER = re.compile(r"_\d+$")
_VIDEO_NUMBER = re.compile(r"(?<=[a-z])\d+$")
_NAMELESS = re.compile(r"(RD_)?Radio\d+$")
"""Radio hosts go by number, not by name."""


def list_clips(folder: Path) -> tuple[Recording, ...]:
    """Return all clips, sorted by name.

    Raises:
        DataError: If there is no clip, or a transcript is empty.
    """
    videos = sorted(folder.glob("*.mp4"))
    if not videos:
        raise DataError(f"There is no HDTF clip (*.mp4) in {folder}; expected {LAYOUT}.")
    return tuple(
        Recording(
            name=video.stem,
            identity=identity_of(video.stem),
            video=video,
            text=_text_of(video.with_suffix(".txt")),
        )
        for video in videos
    )


def identity_of(name: str) -> str:
    """Return who is shown: the clip's name without the numbers of clip and video.

    Args:
        name: Such as `WDA_NancyPelosi0_003`, which gives `WDA_NancyPelosi`.
    """
    person = _CLIP_NUMBER.sub("", name)
    return person if _NAMELESS.fullmatch(person) else _VIDEO_NUMBER.sub("", person)


def _text_of(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        text = " ".join(path.read_text("utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The transcript {path} cannot be read ({error}).") from error
    if not text:
        raise DataError(f"The transcript {path} is empty; write what is said or delete it.")
    return text
