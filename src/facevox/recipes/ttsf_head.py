"""How much heads move: drawn by `ttsf`, and of the person it learned them from.

    python -m facevox.recipes.ttsf_head --data DATA -o REPORT.md

Each held-out clip of GRID beside a video in which somebody whom nothing was trained on says its
sentence twice; both are cut to the same length, since a head moves more in a longer time.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np

from facevox.core.checkpoint import TTSF_WEIGHTS
from facevox.core.errors import FacevoxError
from facevox.core.files import write_atomically
from facevox.core.portrait.face_tracker import CropTracker
from facevox.core.portrait.head_pose import estimate_head_poses
from facevox.data.grid import GridClip, hold_out, list_clips
from facevox.data.grid_mouth import sentence_words
from facevox.data.portraits import hold_out as hold_out_people
from facevox.data.portraits import list_portraits
from facevox.evaluation.bootstrap import interval_of_mean
from facevox.evaluation.judges.landmarks import load_attention_mesh
from facevox.evaluation.media import read_frames
from facevox.systems.ttsf import Ttsf

FRAMES, SIZE = 75, 384
_ANGLES = ("yaw", "pitch", "roll")


def deviations(tracker: CropTracker, frames: list[np.ndarray]) -> np.ndarray | None:
    """Return the standard deviation over time of yaw, pitch and roll [deg]; None if lost."""
    poses = estimate_head_poses(tracker.track(iter(frames)))
    found = np.isfinite(poses).all(1)
    return poses[found].std(0) if found.mean() > 0.9 else None


def made(system: Ttsf, clip: GridClip, photo: Path, seed: int) -> list[np.ndarray]:
    """Return the first frames of the clip's sentence, said twice by the person of a photo."""
    sentence = " ".join(sentence_words(clip)).capitalize() + ". "
    return list(islice(system.generate(photo, 2 * sentence, seed=seed, size=SIZE).frames(), FRAMES))


def table(real: np.ndarray, drawn: np.ndarray) -> str:
    """Return the table; rows are clips, columns yaw, pitch, roll."""
    lines = ["| deviation over 3 s [deg] | yaw | pitch | roll | mean |", "|---|---|---|---|---|"]
    for name, rows in (("recordings", real), ("`ttsf`", drawn)):
        columns = [*rows.T, rows.mean(1)]
        cells = []
        for values in columns:
            low, high = interval_of_mean(values)
            cells.append(f"{values.mean():.2f} [{low:.2f}, {high:.2f}]")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"drawn over recorded: {drawn.mean() / real.mean():.2f}"])


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with talking/grid_s1")
    parser.add_argument("--weights", type=Path, default=TTSF_WEIGHTS, help="folder of the weights")
    parser.add_argument("--clips", type=int, default=25, help="clips to compare")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the report (.md)")
    arguments = parser.parse_args()
    system, tracker = Ttsf.load(weights=arguments.weights), load_attention_mesh()
    photos = [
        row.path
        for row in hold_out_people(list_portraits(arguments.data / "faces"))[1]
        if row.source == "london" and not row.smiling
    ]
    real: list[np.ndarray] = []
    drawn: list[np.ndarray] = []
    for seed, clip in enumerate(hold_out(list_clips(arguments.data / "talking/grid_s1"))[1]):
        if len(real) == arguments.clips:
            break
        frames = list(islice(read_frames(clip.video), FRAMES))
        try:
            shown = (frames, made(system, clip, photos[seed % len(photos)], seed))
            both = [deviations(tracker, pictures) for pictures in shown]
        except FacevoxError as error:
            print(f"{clip.name} is left out: {error}")
            continue
        if both[0] is not None and both[1] is not None:
            real.append(both[0])
            drawn.append(both[1])
    text = f"# Heads over {len(real)} clips\n\n{table(np.array(real), np.array(drawn))}\n"
    write_atomically(arguments.output, text.encode())
    print(text)


if __name__ == "__main__":
    main()
