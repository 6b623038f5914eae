"""Making the videos of a suite with a system; what is there already is kept."""

import errno
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from facevox.core.errors import FacevoxError, InputError
from facevox.core.files import make_folder, write_atomically
from facevox.core.speech import Phone
from facevox.evaluation.clip import REAL, Clip
from facevox.evaluation.code_digest import code_digest
from facevox.evaluation.intact import check_intact
from facevox.evaluation.suites.item import Item
from facevox.systems.system import System

Step = Callable[[str], None]
"""Called with a few words after every clip."""

FPS = 25


@dataclass(frozen=True, kw_only=True)
class Row:
    """The clips of one system, or of recordings: a column of the report.

    Attributes:
        name: Of the system, `real`, or of the folder.
        clips: What can be scored.
        failed: Name of a clip -> why it could not be made or found.
        info: `SystemInfo` as plain values; empty for recordings and folders.
    """

    name: str
    clips: tuple[Clip, ...]
    failed: dict[str, str] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)


def generated_row(system: System, items: Sequence[Item], folder: Path, step: Step) -> Row:
    """Make every item with a system; one that fails does not stop the others.

    Beside each `NAME.mp4` lies `NAME.json`: phones with times, voice, seed, and a digest
    (of code, weights, photo, text and seed) by which a later run knows that the video is the
    one it wants.

    Raises:
        MediaError: If the folder cannot be written.
    """
    make_folder(folder)
    info = asdict(system.info())
    clips, failed = [], {}
    for item in items:
        try:
            clips.append(_kept_or_made(system, info["name"], item, folder))
        except FacevoxError as error:
            if getattr(error.__cause__, "errno", 0) == errno.ENOSPC:
                raise  # no other clip would fare better
            failed[item.name] = str(error)
        step(f"{info['name']}: {item.name}")
    return Row(name=info["name"], clips=tuple(clips), failed=failed, info=info)


def recorded_row(items: Sequence[Item]) -> Row:
    """Return the recordings themselves as a column; empty if the suite has none."""
    clips = {
        item.reference: Clip(
            name=item.name,
            video=item.reference,
            system=REAL,
            identity=item.identity,
            portrait=item.portrait,
            text=item.text if item.reference_says_text else None,
            reference=item.reference,
            reference_says_text=item.reference_says_text,
        )
        for item in items
        if item.reference is not None
    }
    failed = {}
    for clip in clips.values():
        try:
            check_intact(clip.video)
        except InputError as error:
            failed[clip.name] = str(error)
    whole = tuple(clip for clip in clips.values() if clip.name not in failed)
    return Row(name=REAL, clips=whole, failed=failed)


def folder_row(folder: Path, items: Sequence[Item], name: str) -> Row:
    """Return videos that others made: `NAME.mp4` for each item's name.

    Raises:
        InputError: If the folder is absent or holds none of them.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder of videos {folder}.")
    clips, failed, found = [], {}, 0
    for item in items:
        path = folder / f"{item.name}.mp4"
        if not path.exists():
            failed[item.name] = f"{path.name} is not in {folder}"
            continue
        found += 1
        try:
            check_intact(path)
            clips.append(clip_of(item, path, name, None, {}))
        except InputError as error:
            failed[item.name] = str(error)
    if not found:
        raise InputError(
            f"{folder} holds none of the suite's {len(items)} videos; expected names such as "
            f"{items[0].name}.mp4."
        )
    return Row(name=name, clips=tuple(clips), failed=failed)


def clip_of(
    item: Item, video: Path, system: str, phones: tuple[Phone, ...] | None, facts: dict[str, Any]
) -> Clip:
    """Return what is known about the video of an item."""
    return Clip(
        name=item.name,
        video=video,
        system=system,
        identity=item.identity,
        photo=item.photo,
        portrait=item.portrait,
        text=item.text,
        phones=phones,
        reference=item.reference,
        reference_says_text=item.reference_says_text,
        seed=item.seed,
        sex=item.sex,
        age=item.age,
        facts=facts,
    )


def _kept_or_made(system: System, name: str, item: Item, folder: Path) -> Clip:
    video, side = folder / f"{item.name}.mp4", folder / f"{item.name}.json"
    digest = _digest(name, item)
    if video.is_file() and (known := read_side(side, digest)):
        return clip_of(item, video, name, *known)
    face = system.generate(item.portrait, item.text, seed=item.seed, size=item.size, fps=FPS)
    saved = face.save(video)
    facts = {
        "seconds": saved.seconds,
        "frames": saved.num_frames,
        "voice": face.voice.to_dict(),
        "warnings": list(face.warnings),
    }
    phones = face.alignment()
    rows = [asdict(phone) for phone in phones]
    text = json.dumps({"digest": digest, "facts": facts, "phones": rows})
    write_atomically(side, text.encode())
    return clip_of(item, video, name, phones, facts)


def _digest(system: str, item: Item) -> str:
    stamp = hashlib.sha256(item.portrait.read_bytes())
    wanted = [code_digest(), system, item.text, item.seed, item.size, FPS]
    stamp.update(json.dumps(wanted).encode())
    return stamp.hexdigest()


def read_side(path: Path, digest: str) -> tuple[tuple[Phone, ...], dict[str, Any]] | None:
    """Return phones and facts of a kept video; None if it is another's, or was tampered with."""
    try:
        known = json.loads(path.read_text("utf-8"))
        if known["digest"] != digest:
            return None
        return tuple(Phone(**row) for row in known["phones"]), dict(known["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
