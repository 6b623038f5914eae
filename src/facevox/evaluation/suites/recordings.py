"""Items of suites that take a corpus of recordings."""

from pathlib import Path
from typing import Any

from PIL import Image

from facevox.core.errors import ConfigError, DataError, FacevoxError
from facevox.core.files import temporary_twin
from facevox.core.portrait.reader import read_portrait
from facevox.data.corpora import list_recordings
from facevox.data.recording import Recording
from facevox.evaluation.media import read_frames
from facevox.evaluation.suites.item import Item, spread

SEARCHED_FRAMES = 25
"""A recording without a face in this many first frames is left out."""


def recording_items(
    name: str, content: dict[str, Any], data: Path | None, work: Path, limit: int | None
) -> tuple[Item, ...]:
    """Return one item for each recording: its first frame with a face, and its text.

    Raises:
        ConfigError: If the suite names an unknown layout.
        DataError: If the corpus is not there or no recording shows a face.
    """
    try:
        layout, folder, select = content["layout"], content["folder"], content["select"]
    except KeyError as error:
        raise ConfigError(f"The suite {name} has no {error}.") from error
    recordings = list_recordings(layout, (data or Path()) / folder, **select)
    texts = content.get("texts") or []
    items = []
    for index, recording in spread(list(enumerate(recordings)), limit):
        text = recording.text or (texts[index % len(texts)] if texts else "")
        photo = first_face(recording, work)
        if photo is None or not text:
            continue
        items.append(
            Item(
                name=recording.name,
                identity=recording.identity,
                portrait=photo,
                text=text,
                seed=index,
                size=content.get("size"),
                reference=recording.video,
                reference_says_text=bool(recording.text),
            )
        )
    if not items:
        raise DataError(f"No recording of the suite {name} shows a face and has a text.")
    return tuple(items)


def first_face(recording: Recording, work: Path) -> Path | None:
    """Return the first frame that shows a face as a PNG file, made once; None if none does."""
    path = work / f"{recording.name}.png"
    if path.exists():
        return path
    try:
        for _, pixels in zip(range(SEARCHED_FRAMES), read_frames(recording.video), strict=False):
            try:
                read_portrait(pixels)
            except FacevoxError:
                continue
            with temporary_twin(path) as twin:
                Image.fromarray(pixels).save(twin)
            return path
    except FacevoxError:
        return None
    return None
