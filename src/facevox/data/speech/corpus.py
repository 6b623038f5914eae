"""A corpus -> a folder of checked shards; a run that was stopped goes on where it was.

Every shard is written from a fixed place in a fixed order, and what a clip becomes depends on
nothing but the clip: a run that was killed and run again writes the same bytes as one that
was not.  A shard counts as finished when its index is there and its content has the digest
that the index names; a damaged one is made anew.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from facevox.core.errors import ConfigError, DataError
from facevox.core.files import make_folder, write_atomically
from facevox.data.shards import (
    FORMAT,
    MANIFEST,
    ShardInfo,
    check_shard,
    file_digest,
    read_index,
    write_index,
    write_shard,
)
from facevox.data.speech.clip import Dropped, Prepared
from facevox.data.speech.engines import prepare_all
from facevox.data.speech.hold_out import split_utterances
from facevox.data.speech.prepare_report import summarise, write_report
from facevox.data.speech.settings import PrepareSettings
from facevox.data.speech.utterance import Utterance

PLAN = "plan.json"
Progress = Callable[[float], None]


@dataclass
class _Run:
    """One split on its way into shards."""

    folder: Path
    split: str
    utterances: list[Utterance]
    settings: PrepareSettings
    known: dict[str, str]
    """Digests of all samples so far -> their names."""

    finished: dict[str, ShardInfo] = field(default_factory=dict)
    position: int = 0
    """Utterances that are done."""

    def shard_name(self, number: int) -> str:
        return f"{self.split}-{number:06d}.tar"


def prepare_corpus(
    utterances: Sequence[Utterance],
    folder: Path,
    settings: PrepareSettings,
    *,
    corpus: str,
    held_out: Sequence[str] = (),
    engine: str = "process",
    jobs: int = 1,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Prepare utterances and return the manifest, which is also written.

    Args:
        utterances: What the corpus holds.
        folder: Where shards, manifest and report are written.
        settings: How clips are checked and divided.
        corpus: Name of the corpus, for the manifest.
        held_out: Names or sentences that must not be learnt.
        engine: `process` or `ray`.
        jobs: Processes.
        progress: Told the share that is done.

    Raises:
        DataError: If there is nothing to prepare, or nothing is left.
        ConfigError: If the folder holds shards of another corpus or other settings.
        MediaError: If a file cannot be written.
    """
    if not utterances:
        raise DataError(f"There are no recordings in {corpus}.")
    make_folder(folder)
    _keep_plan(folder, _plan(utterances, settings, corpus, held_out))
    _sweep(folder)
    known: dict[str, str] = {}
    done = 0

    def show(number: int) -> None:
        progress((done + number) / len(utterances))

    shards: dict[str, list[ShardInfo]] = {}
    for split, members in split_utterances(utterances, settings, held_out).items():
        run = _Run(folder, split, members, settings, known)
        _find_finished(run)
        shards[split] = list(_make_shards(run, engine, jobs, show))
        done += len(members)
    manifest = {
        "format": FORMAT, "corpus": corpus, "settings": settings.model_dump(),
        **summarise(shards),
    }  # fmt: skip
    write_report(folder, manifest, shards)
    if not any(part["samples"] for part in manifest["splits"].values()):
        raise DataError(
            f"Nothing of {corpus} could be used; {folder / 'report.md'} says why of each."
        )
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / MANIFEST, text.encode())
    return manifest


def _plan(
    utterances: Sequence[Utterance],
    settings: PrepareSettings,
    corpus: str,
    held_out: Sequence[str],
) -> dict[str, Any]:
    """Return what decides the bytes of the shards."""
    stamp = hashlib.sha256()
    for utterance in utterances:
        row = asdict(replace(utterance, sound=Path(), video=None))
        row["has_video"] = utterance.video is not None
        stamp.update(json.dumps(row, sort_keys=True, default=str).encode())
    encoder = settings.speaker_encoder
    return {
        "corpus": corpus,
        "settings": settings.model_dump(mode="json"),
        "recordings": len(utterances),
        "names_and_texts": stamp.hexdigest(),
        "held_out": hashlib.sha256(json.dumps(sorted(held_out)).encode()).hexdigest(),
        "speaker_encoder": _checkpoint_digest(Path(encoder)) if encoder else None,
    }


def _checkpoint_digest(path: Path) -> str:
    if not path.is_file():
        raise DataError(f"There is no checkpoint {path} of a speaker encoder.")
    return file_digest(path)


def _keep_plan(folder: Path, plan: dict[str, Any]) -> None:
    path = folder / PLAN
    if path.is_file():
        try:
            before = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            before = {}
        # settings that did not exist when the folder was begun had their defaults
        before["settings"] = {**_defaults(), **(before.get("settings") or {})}
        differs = [key for key in plan if before.get(key) != plan[key]]
        if differs:
            raise ConfigError(
                f"{folder} holds shards that were made otherwise ({_difference(before, plan)}); "
                "choose another folder, or delete this one."
            )
        return
    if any(folder.glob("*.tar")):
        raise ConfigError(f"{folder} holds other tar files; choose an empty folder.")
    write_atomically(path, (json.dumps(plan, indent=2) + "\n").encode())


def _defaults() -> dict[str, Any]:
    return PrepareSettings().model_dump(mode="json")  # type: ignore[call-arg]


def _difference(before: dict[str, Any], plan: dict[str, Any]) -> str:
    """Name the first thing that differs."""
    old, new = before.get("settings") or {}, plan["settings"]
    for name in new:
        if old.get(name) != new[name]:
            return f"{name} was {old.get(name)}, now {new[name]}"
    key = next(key for key in plan if before.get(key) != plan[key])
    return f"{key.replace('_', ' ')} was {before.get(key)}, now {plan[key]}"


def _sweep(folder: Path) -> None:
    """Remove what a killed run left half-written."""
    for path in folder.glob(".*-*-*.tar"):
        path.unlink(missing_ok=True)


def _find_finished(run: _Run) -> None:
    for path in sorted(run.folder.glob(f"{run.split}-*.tar")):
        try:
            shard = read_index(run.folder, path.name)
            check_shard(run.folder, shard, thorough=True)
        except DataError:
            continue
        run.finished[path.name] = shard


def _make_shards(
    run: _Run, engine: str, jobs: int, progress: Callable[[int], None]
) -> Iterator[ShardInfo]:
    """Yield the shards of a split in order, those that are finished and those made now."""
    covered: set[int] = set()
    for shard in run.finished.values():
        covered |= set(range(*shard.extra["covers"]))
    rest = [u for number, u in enumerate(run.utterances) if number not in covered]
    results = prepare_all(rest, run.settings, engine=engine, jobs=jobs) if rest else iter(())
    number = 0
    while run.position < len(run.utterances):
        name = run.shard_name(number)
        kept = run.finished.get(name)
        fits = kept is not None and kept.extra["covers"][0] == run.position
        shard = kept if kept and fits else _make_shard(run, name, results, progress)
        run.position = shard.extra["covers"][1]
        run.known |= {entry["digest"]: entry["name"] for entry in shard.entries}
        progress(run.position)
        yield shard
        number += 1
    for path in run.folder.glob(f"{run.split}-*.tar"):
        if path.name >= run.shard_name(number):
            path.unlink()
            path.with_suffix(".json").unlink(missing_ok=True)


def _make_shard(
    run: _Run,
    name: str,
    results: Iterator[Prepared | Dropped],
    progress: Callable[[int], None],
) -> ShardInfo:
    start = run.position
    dropped: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []

    def samples() -> Iterator[tuple[str, dict[str, bytes], dict[str, Any]]]:
        while run.position < len(run.utterances):
            result = next(results)
            expected = run.utterances[run.position].name
            if result.name != expected:
                raise DataError(
                    f"The shards in {run.folder} do not follow on each other; delete the folder "
                    "and run again."
                )
            run.position += 1
            progress(run.position)
            result = _without_duplicates(result, run.known)
            if isinstance(result, Dropped):
                dropped.append(asdict(result))
                continue
            if result.kept_without_text is not None:
                reason, detail = result.kept_without_text
                refused.append({"name": result.name, "reason": reason, "detail": detail})
            yield result.name, result.members, result.entry

    shard = write_shard(run.folder / name, samples(), run.settings.shard_megabytes * 1e6)
    extra = {"covers": [start, run.position], "dropped": dropped, "kept_without_text": refused}
    shard = replace(shard, extra=extra)
    write_index(run.folder, shard)
    return shard


def _without_duplicates(result: Prepared | Dropped, known: dict[str, str]) -> Prepared | Dropped:
    if isinstance(result, Prepared):
        twin = known.setdefault(result.entry["digest"], result.name)
        if twin != result.name:
            return Dropped(name=result.name, reason="duplicate", detail=f"sounds like {twin}")
    return result
