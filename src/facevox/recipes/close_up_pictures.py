"""Make the windows that the close-ups of mouth and eyes learn from.

    python -m facevox.recipes.close_up_pictures --data ../shared/data --out CLOSE_UPS
    python -m facevox.recipes.close_up_pictures --data ../shared/data --out CLOSE_UPS --region eyes

What is there already is left alone, so a run that was stopped goes on.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import FacevoxError
from facevox.core.files import temporary_twin
from facevox.core.portrait.reader import read_portrait
from facevox.data.acted_portraits import draw_others
from facevox.data.close_ups import film_close_ups, write_close_up
from facevox.data.portraits import list_portraits
from facevox.models.face.ttsf.close_up_regions import MOUTH, REGIONS, Region
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS, OTHER_NUMBERS
from facevox.recipes.acted_portraits import speaking_mouths

SAMPLES = 24
_GAP, _OPEN = 6, 0.12


def draw_mouths(
    pool: Float32[np.ndarray, "pool 9"], count: int, generator: np.random.Generator
) -> Float32[np.ndarray, "count 9"]:
    """Return mouths of speech, half of them open.

    Args:
        pool: All mouths of some sentences.
        count: How many.
        generator: Source of the choice.
    """
    wide = pool[pool[:, _GAP] > _OPEN]
    rows = [
        (wide if number % 2 and len(wide) else pool)[
            generator.integers(len(wide) if number % 2 and len(wide) else len(pool))
        ]
        for number in range(count)
    ]
    return np.stack(rows).astype(np.float32)


def write_all(
    region: Region,
    data: Path,
    out: Path,
    samples: int,
    say: Callable[[str], None],
    limit: int | None = None,
) -> int:
    """Write the windows of all photos that are not there yet; return how many photos are there.

    Args:
        region: Mouth or eyes.
        data: Folder with `faces`.
        out: Where the windows go.
        samples: Pictures of each photo beside the two that are always there.
        say: Told what is left out, and how far it is.
        limit: Most photos.

    Raises:
        FacevoxError: If there are no photos, or `lite` cannot speak.
    """
    out.mkdir(parents=True, exist_ok=True)
    portraits = list(list_portraits(data / "faces"))[:limit]
    pool = _mouths(out / "mouths.npy", portraits[0].path) if region is MOUTH else None
    done = 0
    for place, row in enumerate(portraits):
        name = f"{row.person}{'-s' if row.smiling else ''}"
        if not (out / f"{name}.{region.name}0.npz").exists():
            generator = np.random.default_rng([place, 3])
            mouth, others = np.zeros((samples, MOUTH_NUMBERS)), np.zeros((samples, OTHER_NUMBERS))
            if pool is not None:
                mouth = draw_mouths(pool, samples, generator)
            else:
                others = draw_others(samples, generator)
            try:
                found = film_close_ups(
                    region,
                    read_portrait(row.path),
                    mouth.astype(np.float32),
                    others.astype(np.float32),
                )
            except FacevoxError as error:
                say(f"{name} is left out: {error}")
                continue
            # the first is written last: it says that all are there
            for number, window in reversed(list(enumerate(found))):
                with temporary_twin(out / f"{name}.{region.name}{number}.npz") as twin:
                    write_close_up(twin, window)
            say(f"{name} ({place + 1} of {len(portraits)})")
        done += 1
    return done


def _mouths(path: Path, portrait: Path) -> Float32[np.ndarray, "pool 9"]:
    if not path.exists():
        with temporary_twin(path) as twin, twin.open("wb") as file:
            np.save(file, speaking_mouths(portrait))
    return np.load(path, allow_pickle=False)


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with faces")
    parser.add_argument("--out", type=Path, required=True, help="where the windows go")
    parser.add_argument("--region", choices=sorted(REGIONS), default="mouth", help="what moves")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="pictures of each photo")
    parser.add_argument("--limit", type=int, default=None, help="most photos")
    arguments = parser.parse_args()
    region = REGIONS[arguments.region]
    count = write_all(
        region, arguments.data, arguments.out, arguments.samples, print, limit=arguments.limit
    )
    print(f"{count} photos in {arguments.out}")


if __name__ == "__main__":
    main()
