"""Make the pictures that the face generator is warmed up with.

    python -m facevox.recipes.acted_portraits --data ../shared/data --out FACES
    python -m facevox.recipes.acted_portraits --data ../shared/data --tracks TRACKS --out FACES

Every photo is moved by the warp renderer; neutral and smiling photos of the same people are
set side by side; with the tracks of `facevox.recipes.grid_tracks` the frames of GRID are cut.
What is there already is left alone, so a run that was stopped goes on, and several runs with
`--part 0/2`, `--part 1/2` share the photos.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import FacevoxError
from facevox.core.files import temporary_twin, write_atomically
from facevox.core.portrait.reader import read_portrait
from facevox.core.text.reader import read_sentences
from facevox.data.acted_portraits import act, write_acted
from facevox.data.face_pairs import MEAN_FLOW
from facevox.data.portraits import LabelledPortrait, hold_out, list_portraits
from facevox.models.bridge.perception import FacePerception
from facevox.models.face.lia.mean_flow import mouth_place
from facevox.models.face.lia.view import view_of
from facevox.recipes.mean_flow import fit_mean_flow
from facevox.recipes.real_faces import write_grid, write_pairs
from facevox.systems.lite import Lite

SIDE = 256
HELD_SAMPLES = 8

TEXT = (
    "A cup of sugar makes sweet fudge. Place a rosebush near the porch steps. Both lost their "
    "lives in the raging storm. We talked of the side show in the circus. Use a pencil to write "
    "the first draft. He ran half way to the hardware store. The clock struck to mark the third "
    "period. A small creek cut across the field. Cars and busses stalled in snow drifts. The set "
    "of china hit the floor with a crash. This is a grand season for hikes on the road. The dune "
    "rose from the edge of the water. Those words were the cue for the actor to leave. A yacht "
    "slid around the point into the bay. The two met while playing on the sand. The ink stain "
    "dried on the finished page. The walled town was seized without a fight. The lease ran out "
    "in sixteen weeks. A tame squirrel makes a nice pet. The horn of the car woke the sleeping "
    "cop. The heart beat strongly and with firm strokes. The pearl was worn in a thin silver "
    "ring. The fruit peel was cut in thick slices. The Navy attacked the big task force. See the "
    "cat glaring at the scared mouse. There are more than two factors here. The hat brim was "
    "wide and too droopy. The lawyer tried to lose his case. The grass curled around the fence "
    "post. Cut the pie into large parts. Men strive but seldom get rich. Always close the barn "
    "door tight. He lay prone and hardly moved a limb. The slush lay deep along the street. A "
    "wisp of cloud hung in the blue air. A pound of sugar costs more than eggs. The fin was "
    "sharp and cut the clear water. Bail the boat to stop it from sinking. The term ended in "
    "late June that year. A tusk is used to make costly gifts. Ten pins were set in order. My oh "
    "my, what a wonderful view. Papa and mama bought a baby pram. Five or six very brave foxes "
    "have found food."
)
"""What the mouths say: Harvard sentences beyond the lists that are kept for measuring."""

_NUM_VOICES = 6
_STRENGTHS = (0.75, 1.0, 1.3)
_FRAME = 0.04
_USUAL_AGE, _AGE_SPREAD = 35.0, 15.0


def speaking_mouths(portrait: Path) -> Float32[np.ndarray, "pool 9"]:
    """Return the mouths of `lite` saying `TEXT` in several voices and strengths.

    Args:
        portrait: Whose voices are taken.

    Raises:
        FacevoxError: If `lite` cannot speak.
    """
    lite = Lite.load()
    voices = lite.voices(portrait, _NUM_VOICES)
    rows = []
    for number, sentence in enumerate(read_sentences(TEXT)):
        speech = lite.speech.speak(sentence, voices[number % _NUM_VOICES])
        times = np.arange(0, speech.duration, _FRAME)
        for strength in _STRENGTHS:
            track = lite.motion.mouth.track(speech, times, _FRAME, strength)
            columns = [track.mouth, track.lip_gap, track.tongue, track.lip_roll]
            rows.append(np.column_stack(columns))
    return np.concatenate(rows).astype(np.float32)


def render_portraits(
    portraits: list[LabelledPortrait],
    mouths: Float32[np.ndarray, "pool 9"],
    out: Path,
    samples: int,
    say: Callable[[str], None],
    part: tuple[int, int] = (0, 1),
) -> None:
    """Write the moved frames of photos that are not there yet.

    Args:
        portraits: All photos; the seed of each is its place among them.
        mouths: Mouths to draw from.
        out: Where the arrays go.
        samples: Pairs of frames of a photo; of held-out people there are eight.
        say: Told what is left out, and how far it is.
        part: Which share of the photos: number and count.
    """
    training, held = hold_out(portraits)
    for place, row in enumerate([*held, *training]):
        name = f"{row.person}{'-s' if row.smiling else ''}"
        # the frames are written last
        if place % part[1] != part[0] or (out / f"{name}.frames.npy").exists():
            continue
        generator = np.random.default_rng([place, 1])
        count = HELD_SAMPLES if place < len(held) else samples
        try:
            acted = act(read_portrait(row.path), mouths, count, SIDE, generator)
        except FacevoxError as error:
            say(f"{name} is left out: {error}")
            continue
        write_acted(out, name, acted)
        say(f"{name} ({place + 1} of {len(portraits)})")


def read_people(
    portraits: list[LabelledPortrait], say: Callable[[str], None]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return how people look, by name, and where mouths lie, by photo.

    A look is sex, age and three proportions of the face.

    Args:
        portraits: Photos; of several of one person the mean look is taken.
        say: Told who is left out.
    """
    perception = FacePerception.load()
    rows: dict[str, list[list[float]]] = {}
    places: dict[str, list[float]] = {}
    for row in portraits:
        try:
            portrait = read_portrait(row.path)
            seen = perception(portrait)
        except FacevoxError as error:
            say(f"{row.person} is left out: {error}")
            continue
        age = (row.age or seen.age) - _USUAL_AGE
        numbers = [2.0 * row.female - 1, age / _AGE_SPREAD, seen.breadth, seen.length, seen.width]
        rows.setdefault(row.person, []).append(numbers)
        place = mouth_place(portrait.landmarks, view_of(portrait.landmarks))
        places[f"{row.person}{'-s' if row.smiling else ''}"] = place.tolist()
    return {name: np.mean(found, 0).tolist() for name, found in rows.items()}, places


def prepare(
    data: Path,
    out: Path,
    *,
    tracks: Path | None,
    samples: int,
    part: tuple[int, int],
    say: Callable[[str], None],
) -> None:
    """Make the whole folder, or this part of it.

    Raises:
        FacevoxError: If data is missing or `lite` cannot speak.
    """
    acted, real = out / "acted", out / "real"
    for folder in (acted, real):
        folder.mkdir(parents=True, exist_ok=True)
    portraits = list(list_portraits(data / "faces"))
    pool = acted / "mouths.npy"
    if not pool.exists():
        mouths = speaking_mouths(portraits[0].path)
        with temporary_twin(pool) as twin, twin.open("wb") as file:
            np.save(file, mouths)
    fields = out / MEAN_FLOW
    if part[0] == 0 and not fields.exists():
        found = fit_mean_flow(portraits, np.load(pool), say)
        with temporary_twin(fields) as twin, twin.open("wb") as file:
            np.save(file, found)
    if part[0] == 0 and not (out / "people.json").exists():
        people, places = read_people(portraits, say)
        write_atomically(out / "places.json", json.dumps(places).encode())
        write_atomically(out / "people.json", json.dumps(people).encode())
    render_portraits(portraits, np.load(pool), acted, samples, say, part)
    if part[0] == 0 and not (real / "pairs.npy").exists():
        say(f"{write_pairs(data / 'faces', real, SIDE, say)} people neutral and smiling")
    if part[0] == 0 and tracks is not None and not (real / "grid_test.npy").exists():
        clips = data / "talking" / "grid_s1"
        say(f"{write_grid(clips, tracks, real, SIDE, say)} clips of GRID")


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Make pictures for the face generator.")
    parser.add_argument("--data", type=Path, required=True, help="folder with faces and talking")
    parser.add_argument("--out", type=Path, required=True, help="folder for the arrays")
    parser.add_argument("--tracks", type=Path, default=None, help="face tracks of GRID")
    parser.add_argument("--samples", type=int, default=64, help="pairs of frames of a photo")
    parser.add_argument("--part", default="0/1", help="share of the photos, such as 0/2")
    arguments = parser.parse_args()
    number, _, count = arguments.part.partition("/")
    prepare(
        arguments.data,
        arguments.out,
        tracks=arguments.tracks,
        samples=arguments.samples,
        part=(int(number), int(count or 1)),
        say=print,
    )


if __name__ == "__main__":
    main()
