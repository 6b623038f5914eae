"""What was prepared and what was not, for people and for programs."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facevox.core.files import write_atomically
from facevox.data.shards import ShardInfo
from facevox.data.speech.settings import HOP, SAMPLE_RATE

REPORT, TABLE = "report.md", "dropped.csv"

_EXAMPLES = 3
_HOURS = HOP / SAMPLE_RATE / 3600


def summarise(shards: Mapping[str, Sequence[ShardInfo]]) -> dict[str, Any]:
    """Return the counts of all splits, of what was dropped, and the digests of the shards."""
    everything = [shard for members in shards.values() for shard in members]
    return {
        "splits": {split: _count(members) for split, members in shards.items() if members},
        "dropped": _reasons(everything, "dropped"),
        "kept_without_text": _reasons(everything, "kept_without_text"),
        "shards": {
            shard.name: {"size": shard.size, "sha256": shard.sha256} for shard in everything
        },
    }


def _count(members: Sequence[ShardInfo]) -> dict[str, Any]:
    entries = [entry for shard in members for entry in shard.entries]
    spoken = [entry for entry in entries if entry["tokens"]]
    counted = {
        "shards": [shard.name for shard in members],
        "samples": len(entries),
        "hours": round(sum(entry["frames"] for entry in entries) * _HOURS, 4),
        "with_text": len(spoken),
        "hours_with_text": round(sum(entry["frames"] for entry in spoken) * _HOURS, 4),
        "with_faces": sum(entry["faces"] > 0 for entry in entries),
        "speakers": len({entry["speaker"] for entry in entries}),
        "languages": sorted({entry["language"] for entry in entries}),
    }
    filmed = [entry for entry in entries if entry.get("pictures")]
    return counted | _count_films(filmed) if filmed else counted


def _count_films(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the pictures, and how late lips are where that is sure [frames of 25 fps]."""
    late = [entry["lag"] for entry in entries if entry["lag_sure"]]
    pictures = sum(entry["pictures"] for entry in entries)
    return {
        "pictures": pictures,
        "hours_of_pictures": round(pictures / 90_000, 4),
        "median_lag": round(float(np.median(late)), 2) if late else None,
        "with_sure_lag": len(late),
    }


def _reasons(shards: Sequence[ShardInfo], what: str) -> dict[str, int]:
    counts = Counter(row["reason"] for shard in shards for row in shard.extra[what])
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def write_report(
    folder: Path, manifest: Mapping[str, Any], shards: Mapping[str, Sequence[ShardInfo]]
) -> None:
    """Write `report.md` and `dropped.csv`.

    Args:
        folder: Where to.
        manifest: As made by `summarise`, with `corpus`.
        shards: All of them by split.

    Raises:
        MediaError: If a file cannot be written.
    """
    rows = [
        {"split": split, "what": what.replace("_", " "), **row}
        for split, members in shards.items()
        for shard in members
        for what in ("dropped", "kept_without_text")
        for row in shard.extra[what]
    ]
    table = io.StringIO()
    writer = csv.DictWriter(
        table, ("name", "split", "what", "reason", "detail"), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(folder / TABLE, table.getvalue().encode())
    write_atomically(folder / REPORT, "\n".join(_pages(manifest, rows)).encode())


def _pages(manifest: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> list[str]:
    lines = [
        f"# {manifest['corpus']}, prepared", "",
        "| split | samples | hours | with text | hours with text | with faces | speakers |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for split, part in manifest["splits"].items():
        lines.append(
            f"| {split} | {part['samples']} | {part['hours']:.2f} | {part['with_text']} | "
            f"{part['hours_with_text']:.2f} | {part['with_faces']} | {part['speakers']} |"
        )
    for split, part in manifest["splits"].items():
        if "pictures" in part:
            late = (
                "" if part["median_lag"] is None else f", median {part['median_lag']:+.2f} frames"
            )
            lines += [
                "",
                f"{split}: {part['pictures']} pictures, {part['hours_of_pictures']:.2f} h; lips "
                f"against sound sure in {part['with_sure_lag']} of {part['samples']}{late}.",
            ]
    for what, title in (("dropped", "Dropped"), ("kept without text", "Kept without their text")):
        chosen = [row for row in rows if row["what"] == what]
        lines += ["", f"## {title}: {len(chosen)}", ""]
        if not chosen:
            lines.append("None.")
            continue
        lines += ["| reason | count | such as |", "|---|---:|---|"]
        counts = Counter(row["reason"] for row in chosen)
        for reason, count in counts.most_common():
            some = [row for row in chosen if row["reason"] == reason][:_EXAMPLES]
            said = "; ".join(f"{row['name']} ({row['detail'].rstrip('.')})" for row in some)
            lines.append(f"| {reason} | {count} | {said.replace('|', '/')} |")
    return [*lines, "", f"Every one of them stands in `{TABLE}`.", ""]
