"""Fit how the voice reads a face: identity without what motion leaves in it.

    python -m facevox.recipes.ttsf_identity --head S0T/export --faces FACES -o S0I

`leftover` is what motion leaves in f_id, linear in its magnitudes; `seen` reads off the rest how
a face is seen (sex, age and three proportions, `people.json`).  Both are least squares: of the
pictures of a person around their mean, and of people, each of whom counts once.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch.nn import functional

from facevox.core.checkpoint import load_card, save_checkpoint
from facevox.core.errors import DataError
from facevox.core.processor import cpu_computes_in_bf16
from facevox.data.face_pairs import NUM_TRAITS, ActedFaces, SmilePairs, person_of, read_rows
from facevox.data.pair_sampler import checked_side
from facevox.models.face.lia.generator import FaceGenerator
from facevox.recipes.growing import load_generator
from facevox.recipes.head_parts import LEFTOVER, PARTS, copy_parts, part_path

RIDGES = (0.05, 0.2, 0.5, 1.0, 3.0, 10.0, 20.0)
"""Tried; the one that predicts people left out best is taken."""

TRAITS = ("sex", "age", "breadth", "length", "width")
_SAMPLES = (1, 5, 9, 13, 17, 21, 25)
_LEFTOVER_RIDGE = 0.002
_FOLDS = 6
_COMMAND = "python -m facevox.recipes.ttsf_identity --head HEAD --faces FACES -o OUT"


@dataclass(frozen=True, kw_only=True)
class Views:
    """What a generator says of pictures.

    Attributes:
        f_id: Identity, one row for each picture.
        alpha: Magnitudes of the motion.
        person: Who it is.
    """

    f_id: Float64[np.ndarray, "views style"]
    alpha: Float64[np.ndarray, "views motion"]
    person: np.ndarray

    def around_means(self) -> tuple[np.ndarray, np.ndarray]:
        """Return f_id and alpha less the mean of their person."""
        _, number = np.unique(self.person, return_inverse=True)
        counts = np.bincount(number)[:, None]
        made = []
        for rows in (self.f_id, self.alpha):
            sums = np.zeros((len(counts), rows.shape[1]))
            np.add.at(sums, number, rows)
            made.append(rows - (sums / counts)[number])
        return made[0], made[1]

    def identity(
        self, leftover: Float64[np.ndarray, "style motion"]
    ) -> Float64[np.ndarray, "views style"]:
        """Return f_id free of motion, of one length, as `TalkingHead.identity`."""
        free = self.f_id - self.alpha @ leftover.T
        return free / np.linalg.norm(free, axis=1, keepdims=True) * free.shape[1] ** 0.5

    def weights(self) -> Float64[np.ndarray, " views"]:
        """Return one over the number of a person's pictures: people count alike."""
        _, number, counts = np.unique(self.person, return_inverse=True, return_counts=True)
        return 1.0 / counts[number]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A linear map of identities.

    Attributes:
        weight: One row for each trait.
        bias: Of each trait.
    """

    weight: Float64[np.ndarray, "traits style"]
    bias: Float64[np.ndarray, " traits"]

    def __call__(
        self, identity: Float64[np.ndarray, "views style"]
    ) -> Float64[np.ndarray, "views traits"]:
        """Return the traits of identities."""
        return identity @ self.weight.T + self.bias


@torch.no_grad()
def read_views(generator: FaceGenerator, faces: Path, *, held: bool) -> Views:
    """Return what a generator says of people: photos at rest and, in training, moved ones.

    Args:
        generator: The network.
        faces: Folder of `data/face_pairs.py`.
        held: Whether to read the people kept from training, at rest alone.

    Raises:
        DataError: If there are no such people, or their pictures do not fit the generator.
    """
    acted = ActedFaces(faces / "acted", held=held)
    factor = acted.side // checked_side(generator.config.size, acted.side)
    pairs = None
    if not held and (faces / "real" / "pairs.npy").exists():
        pairs = SmilePairs(faces / "real")
    dtype = torch.bfloat16 if cpu_computes_in_bf16() else torch.float32
    f_id, alpha, person = [], [], []
    for who, name in enumerate(acted.names):
        pictures = acted.pictures(who, () if held else _SAMPLES)
        own = pairs.pictures(name) if pairs is not None else None
        if own is not None:
            pictures = np.concatenate([pictures, own])
        shown = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
        shown = functional.avg_pool2d(shown, factor).to(dtype)
        feature, _ = generator.encoder(shown.contiguous(memory_format=torch.channels_last))
        parts = generator.extractor(feature)
        f_id.append(parts.f_id.double().numpy())
        alpha.append(parts.alpha.double().numpy())
        person += [person_of(name)] * len(pictures)
    return Views(f_id=np.concatenate(f_id), alpha=np.concatenate(alpha), person=np.array(person))


def fit_leftover(views: Views) -> tuple[Float64[np.ndarray, "style motion"], float]:
    """Return what motion leaves in f_id, and the share of its changes that this explains.

    Args:
        views: Several pictures of each person.

    Raises:
        DataError: If nobody moves.
    """
    identity, alpha = views.around_means()
    squares = alpha.T @ alpha
    if not squares.any():
        raise DataError("There is one picture of each person only; nobody is seen to move.")
    least = 1e-9 * squares.trace()
    ridge = np.diag(_LEFTOVER_RIDGE * squares.diagonal() + least)
    found = np.linalg.solve(squares + ridge, alpha.T @ identity)
    missed = ((identity - alpha @ found) ** 2).sum() / (identity**2).sum()
    return found.T, float(1 - missed)


def fit_seen(
    identity: Float64[np.ndarray, "views style"],
    traits: Float64[np.ndarray, "views traits"],
    weights: Float64[np.ndarray, " views"],
    ridge: float,
) -> Reading:
    """Return the ridge regression of traits.

    Args:
        identity: Free of motion.
        traits: Of the same pictures.
        weights: How much each picture counts.
        ridge: Of the squared weights of the map.
    """
    middle = np.average(identity, axis=0, weights=weights)
    usual = np.average(traits, axis=0, weights=weights)
    root = np.sqrt(weights)[:, None]
    x, y = (identity - middle) * root, (traits - usual) * root
    found = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ y)
    return Reading(weight=found.T, bias=usual - middle @ found)


def cross_validated(
    views: Views,
    identity: Float64[np.ndarray, "views style"],
    traits: Float64[np.ndarray, "views traits"],
    ridge: float,
) -> Float64[np.ndarray, "views traits"]:
    """Return each person's traits as read by a map that was fitted without this person."""
    people, number = np.unique(views.person, return_inverse=True)
    fold, weights = number % min(_FOLDS, len(people)), views.weights()
    told = np.zeros_like(traits)
    for left_out in np.unique(fold):
        known, asked = fold != left_out, fold == left_out
        reading = fit_seen(identity[known], traits[known], weights[known], ridge)
        told[asked] = reading(identity[asked])
    return told


def agreement(
    told: Float64[np.ndarray, "views traits"],
    true: Float64[np.ndarray, "views traits"],
    weights: Float64[np.ndarray, " views"],
) -> dict[str, float]:
    """Return the correlation of each trait, and the accuracy of the sex; 0 where undefined."""
    made: dict[str, float] = {}
    for name, a, b in zip(TRAITS, told.T, true.T, strict=True):
        a, b = (x - np.average(x, weights=weights) for x in (a, b))
        spread = np.sqrt((weights * a * a).sum() * (weights * b * b).sum())
        made[name] = round(float((weights * a * b).sum() / spread), 3) if spread > 0 else 0.0
    right = (told[:, 0] > 0) == (true[:, 0] > 0)
    return made | {"sex accuracy": round(float(np.average(right, weights=weights)), 3)}


def described(
    views: Views, people: dict[str, Any]
) -> tuple[np.ndarray, Float64[np.ndarray, "known traits"]]:
    """Return which pictures show people whose look is known, and the looks.

    Args:
        views: Pictures.
        people: Traits by name.

    Raises:
        DataError: If there are fewer than two such people.
    """
    unknown = np.full(NUM_TRAITS, np.nan)
    traits = np.stack([np.asarray(people.get(str(n), unknown), float) for n in views.person])
    known = np.isfinite(traits).all(1)
    if len(set(views.person[known])) < 2:
        raise DataError(
            "people.json tells the look of fewer than two of these people; make the folder "
            "again with python -m facevox.recipes.acted_portraits."
        )
    return known, traits[known]


def fit(
    generator: FaceGenerator, faces: Path, say: Callable[[str], None], ridges: Sequence[float]
) -> tuple[Float64[np.ndarray, "style motion"], Reading, dict[str, Any]]:
    """Return leftover, reading and what was measured.

    Args:
        generator: Warmed up.
        faces: Folder of `data/face_pairs.py`.
        say: Told each result.
        ridges: Tried.

    Raises:
        DataError: If the folder lacks people, pictures or looks.
    """
    people = read_rows(faces / "people.json", NUM_TRAITS)
    views = read_views(generator, faces, held=False)
    leftover, explained = fit_leftover(views)
    say(f"motion explains {100 * explained:.1f} % of how f_id changes within a person")
    known, traits = described(views, people)
    some = Views(f_id=views.f_id[known], alpha=views.alpha[known], person=views.person[known])
    identity, weights = some.identity(leftover), some.weights()
    tried = {}
    for ridge in ridges:
        told = cross_validated(some, identity, traits, ridge)
        tried[ridge] = agreement(told, traits, weights)
        say(f"ridge {ridge:g}, people left out: {tried[ridge]}")
    best = max(ridges, key=lambda ridge: sum(tried[ridge][name] for name in TRAITS))
    reading = fit_seen(identity, traits, weights, best)
    results = {"explained": round(explained, 4), "ridge": best, "people left out": tried[best]}
    unseen = read_views(generator, faces, held=True)
    try:
        known, traits = described(unseen, people)
    except DataError:
        say("people.json tells nothing of the held-out people; they are not measured")
        return leftover, reading, results
    told = reading(unseen.identity(leftover)[known])
    results["held-out people"] = agreement(told, traits, unseen.weights()[known])
    say(f"ridge {best:g}, {len(told)} held-out photos: {results['held-out people']}")
    return leftover, reading, results


def refit(head: Path, faces: Path, out: Path, say: Callable[[str], None]) -> None:
    """Write `seen` and `leftover` beside a copy of the other parts of a head.

    Args:
        head: Folder of the parts.
        faces: Folder of `data/face_pairs.py`.
        out: Folder for the result.
        say: Told each result.

    Raises:
        InputError: If `out` is the folder of the head.
        CheckpointError: If the generator is absent or damaged.
        DataError: If the folder of faces lacks people, pictures or looks.
    """
    new = ("seen", LEFTOVER)
    copy_parts(head, out, new)
    generator = load_generator(part_path(head, PARTS[0])).eval()
    leftover, reading, results = fit(generator, faces, say, RIDGES)
    trained = load_card(part_path(head, PARTS[0]))
    kept = ("config", "data", "licence")
    card: dict[str, Any] = {key: trained[key] for key in kept if key in trained}
    card |= {"command": _COMMAND, "date": date.today().isoformat(), "results": results}
    seen = {"weight": reading.weight, "bias": reading.bias}
    for name, tensors in zip(new, (seen, {LEFTOVER: leftover}), strict=True):
        single = {key: value.astype(np.float32) for key, value in tensors.items()}
        save_checkpoint(part_path(out, name), single, {"kind": f"face-{name}", **card})


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Fit how the voice reads a face.")
    parser.add_argument("--head", type=Path, required=True, help="export of ttsf-warmup")
    parser.add_argument("--faces", type=Path, required=True, help="folder of acted_portraits")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the parts")
    arguments = parser.parse_args()
    refit(arguments.head, arguments.faces, arguments.output, print)


if __name__ == "__main__":
    main()
