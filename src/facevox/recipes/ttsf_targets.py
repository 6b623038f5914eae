"""What the talking face of `ttsf` reaches on people it never saw.

    python -m facevox.recipes.ttsf_targets --data DATA -o REPORT.md

Two tables on the people of DATA/faces/london that nothing was trained on:

    pictures  one photo made to look like another of the same person (serious <-> smiling):
              error, structure, likeness, beside the photo left as it is and `lite`'s renderer
    voices    how far the voices of the two photos lie apart, read from the identity f_id and,
              as the ablation "with motion" does, from the whole feature f

Lips, head and sound are measured by `facevox evaluate --suite grid --system ttsf`; pictures to
look at are made by `python -m facevox.evaluation.contact_sheet --grid --system ttsf`.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch.nn import functional

from facevox.core.checkpoint import TTSF_WEIGHTS
from facevox.core.errors import DataError, FacevoxError
from facevox.core.files import write_atomically
from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.data.acted_portraits import act
from facevox.data.portraits import HELD_OUT, LabelledPortrait, list_portraits
from facevox.evaluation.bootstrap import interval_of_mean
from facevox.evaluation.signals.structure import structural_similarity
from facevox.models.bridge.identity_voice import AGE_MEAN, AGE_SCALE, perceived_of
from facevox.models.bridge.neural_voices import NeuralVoices
from facevox.models.bridge.perception import FacePerception
from facevox.models.bridge.voice_space import VoiceSpace
from facevox.models.face.lia.mean_flow import mouth_place
from facevox.models.face.lia.view import view_of
from facevox.models.face.mouth_basis import (
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    MouthBasis,
    register,
)
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS, flow_controls
from facevox.models.face.ttsf.flow_renderer import read_source
from facevox.models.face.ttsf.talking_head import TalkingHead
from facevox.models.face.warp.renderer import WarpRenderer

_SMILES = (-1.0, -0.5, 0.0, 0.5, 1.0)
_RIDGE, _MOVING = 30.0, 12
_BLOCKS = ("edges", "upper_shape")

Picture = Float32[np.ndarray, "side side 3"]
Method = Callable[[Portrait, Portrait], Picture]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two photos of one person."""

    person: str
    serious: Portrait
    smiling: Portrait


def read_pairs(data: Path) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs of people of training, and of those held out.

    Raises:
        DataError: If there is no pair of one kind.
    """
    photos: dict[str, dict[bool, LabelledPortrait]] = {}
    for row in list_portraits(data / "faces"):
        if row.source == "london":
            photos.setdefault(row.person, {})[row.smiling] = row
    pairs: dict[bool, list[Pair]] = {True: [], False: []}
    for person, both in sorted(photos.items()):
        try:
            serious, smiling = (read_portrait(both[kind].path) for kind in (False, True))
        except (FacevoxError, KeyError):
            continue
        pair = Pair(person=person, serious=serious, smiling=smiling)
        pairs[person in HELD_OUT].append(pair)
    if not pairs[True] or not pairs[False]:
        raise DataError(f"{data} has no pairs of serious and smiling photos; see docs/data.md.")
    return pairs[False], pairs[True]


def mouth_between(source: Portrait, target: Portrait, basis: MouthBasis) -> np.ndarray:
    """Return the nine numbers of the target's mouth relative to the source's."""
    one, other = (register(p.landmarks.astype(np.float64), basis.neutral) for p in (source, target))
    gaps = [float(face[LOWER_LIP_INNER, 1] - face[UPPER_LIP_INNER, 1]) for face in (one, other)]
    numbers = [*basis.project(other, rest=one), gaps[1] - gaps[0], 0.0, 0.0]
    return np.array(numbers, np.float32)


def seen(portrait: Portrait, side: int) -> Picture:
    """Return the generator's view of a photo, 0 to 1."""
    return view_of(portrait.landmarks).cut(portrait.pixels, side)


class Methods:
    """Ways to make one photo look like another.

    Args:
        head: The networks.
    """

    def __init__(self, head: TalkingHead) -> None:
        self._head, self._side = head, head.config.generator.size
        self._basis = MouthBasis.load()

    def copy(self, source: Portrait, target: Portrait) -> Picture:
        """Leave the photo as it is."""
        del target
        return seen(source, self._side)

    def lite(self, source: Portrait, target: Portrait) -> Picture:
        """Warp it as `lite` would, with the smile that fits best."""
        mouth = mouth_between(source, target, self._basis)
        pose = np.array(target.head_pose, np.float32) - np.array(source.head_pose, np.float32)
        renderer, wanted = WarpRenderer(source), seen(target, self._side)
        made = []
        for smile in _SMILES:
            motion = Motion.rest(1).with_channels(
                mouth=mouth[None, :6],
                lip_gap=np.maximum(mouth[None, 6], 0),
                head_pose=pose[None],
                smile=np.array([smile]),
            )
            frame = next(renderer.frames(motion))
            made.append(view_of(source.landmarks).cut(frame, self._side))
        errors = [float(np.abs(picture - wanted).mean()) for picture in made]
        return made[int(np.argmin(errors))]

    def ttsf(self, source: Portrait, target: Portrait) -> Picture:
        """Give the generator the target's motion feature and mouth."""
        return self._generated(source, target, painted=False)

    def ttsf_without_pixels(self, source: Portrait, target: Portrait) -> Picture:
        """The same without the source's own pixels: what the network paints."""
        return self._generated(source, target, painted=True)

    def _generated(self, source: Portrait, target: Portrait, *, painted: bool) -> Picture:
        head = self._head
        mouth = torch.from_numpy(mouth_between(source, target, self._basis))[None]
        with torch.inference_mode():
            one, other = (read_source(head, p.pixels, p.landmarks) for p in (source, target))
            others = head.motion.read(other.parts.alpha - one.parts.alpha)
            place = torch.from_numpy(mouth_place(source.landmarks, view_of(source.landmarks)))
            controls = flow_controls(mouth, others, place)
            made = head.generator(one, other.parts.f_m, head.mouth(mouth), controls)
        picture = made.painted if painted else made.picture
        return (picture[0].permute(1, 2, 0).clamp(-1, 1).numpy() + 1) / 2


class Likeness:
    """Cosine of face descriptions that were learned apart from the generator.

    Edges and the shape above the mouth, without their mean over people: 1 is the same picture,
    0 another person.

    Args:
        portraits: Whose mean is taken away.
    """

    def __init__(self, portraits: Sequence[Portrait]) -> None:
        self._features = FacePerception.load().features
        rows = np.stack([self._raw(portrait) for portrait in portraits])
        self._mean, self._scale = rows.mean(0), rows.std(0) + 1e-6

    def __call__(self, one: Portrait, other: Portrait) -> float:
        """Return the cosine."""
        a, b = ((self._raw(p) - self._mean) / self._scale for p in (one, other))
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    def _raw(self, portrait: Portrait) -> Float[np.ndarray, " n"]:
        blocks = self._features(portrait)
        return np.concatenate([blocks[name] / np.sqrt(len(blocks[name])) for name in _BLOCKS])


def picture_table(head: TalkingHead, train: Sequence[Pair], held: Sequence[Pair]) -> str:
    """Return the table of pictures."""
    likeness = Likeness([portrait for pair in train for portrait in (pair.serious, pair.smiling)])
    methods = Methods(head)
    rows: dict[str, Method] = {
        "copy of the source": methods.copy,
        "`lite`": methods.lite,
        "`ttsf`": methods.ttsf,
        "`ttsf`, painted alone": methods.ttsf_without_pixels,
    }
    lines = ["| method | L1 | L1 at the mouth | SSIM | likeness |", "|---|---|---|---|---|"]
    for name, method in rows.items():
        values = np.array(
            [
                [_compare(method(source, target), source, target, likeness)]
                for pair in held
                for source, target in ((pair.serious, pair.smiling), (pair.smiling, pair.serious))
            ]
        )[:, 0]
        people = np.repeat([pair.person for pair in held], 2)
        cells = [_with_interval(values[:, column], people) for column in range(4)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _compare(
    made: Picture, source: Portrait, target: Portrait, likeness: Likeness
) -> tuple[float, float, float, float]:
    """Return L1 on [0, 1], of all and at the mouth, SSIM, and the likeness to the source photo."""
    wanted = seen(target, len(made))
    errors = np.abs(made - wanted).mean(-1)
    mouth = mouth_place(target.landmarks, view_of(target.landmarks))
    at_mouth = float(errors[_window(mouth, len(made))].mean())
    l1 = float(errors.mean())
    ssim = float(structural_similarity(made * 255.0, wanted * 255.0).mean())
    try:
        found = read_portrait((made * 255 + 0.5).astype(np.uint8))
        alike = likeness(source, found)
    except FacevoxError:
        alike = 0.0
    return l1, at_mouth, ssim, alike


def _window(place: Float32[np.ndarray, " 3"], side: int) -> tuple[slice, slice]:
    """Return rows and columns of a window of the view."""
    low = np.floor((place[:2] - place[2] + 1) / 2 * side).astype(int).clip(0, side)
    high = np.ceil((place[:2] + place[2] + 1) / 2 * side).astype(int).clip(0, side)
    return slice(low[1], high[1]), slice(low[0], high[0])


def voice_table(head: TalkingHead, train: Sequence[Pair], held: Sequence[Pair]) -> str:
    """Return how far features and voices of one person in motion lie apart, and of two people.

    Each person's serious photo stands beside the smiling one, and beside itself in motion.
    """
    space = VoiceSpace.load()
    targets = np.repeat(_descriptions(train), 2, 0)
    pictures = [
        [seen(p, head.config.generator.size) for p in (pair.serious, pair.smiling)]
        for pair in train
    ]
    shown = [_in_motion(pair, head.config.generator.size, seed) for seed, pair in enumerate(held)]
    lines = [
        "| distance of | read from | serious to smiling | still to moving | two people |",
        "|---|---|---|---|---|",
    ]
    shares: dict[tuple[str, bool], np.ndarray] = {}
    for whole, name in ((False, "identity"), (True, "whole feature f")):
        x = _features(head, [picture for both in pictures for picture in both], whole)
        read, middle = _ridge(x, targets), x.mean(0)
        rows = np.array([_features(head, views, whole) for views in shown])
        spaces: dict[str, np.ndarray] = {
            "features": np.array([[_unit(row - middle) for row in person] for person in rows]),
            "voices": np.array([[_voice(read(row), space) for row in person] for person in rows]),
        }
        for what, vectors in spaces.items():
            smiling, moving, between = distances(vectors)
            shares[what, whole] = (smiling + moving) / 2 / between.mean()
            cells = " | ".join(_with_interval(part) for part in (smiling, moving, between))
            lines.append(f"| {what} | {name} | {cells} |")
    lines.append("")
    for what in ("features", "voices"):
        difference = shares[what, True] - shares[what, False]
        lines.append(
            f"Within people over between people, f minus identity, {what}, paired: "
            f"{_with_interval(difference)}"
        )
    return "\n".join(lines)


def _descriptions(pairs: Sequence[Pair]) -> np.ndarray:
    """Return how the bridge of `lite` sees each person: what voices are drawn by."""
    perception = FacePerception.load()
    rows = []
    for pair in pairs:
        both = [perception(p) for p in (pair.serious, pair.smiling)]
        mean = np.mean([[r.female, r.age, r.breadth, r.length, r.width] for r in both], 0)
        rows.append([2 * mean[0] - 1, (mean[1] - AGE_MEAN) / AGE_SCALE, *mean[2:]])
    return np.array(rows)


def _in_motion(pair: Pair, side: int, seed: int) -> list[Picture]:
    """Return views: serious, smiling, then the serious photo with head and expression moved."""
    still = np.zeros((1, MOUTH_NUMBERS), np.float32)
    generator = np.random.default_rng(seed)
    acted = act(pair.serious, still, _MOVING + 1, side, generator)
    moving = [frame.astype(np.float32) / 255 for frame in acted.frames[1:, 0]]
    return [seen(pair.serious, side), seen(pair.smiling, side), *moving]


def _features(head: TalkingHead, views: Sequence[Picture], whole: bool) -> np.ndarray:
    """Return f_id, or f, of views, each as long as the root of its size."""
    rows = []
    for view in views:
        picture = torch.from_numpy(view * 2 - 1).permute(2, 0, 1)[None]
        with torch.inference_mode():
            parts = head.generator.read(picture).parts
        value = parts.f_id + parts.f_m if whole else head.identity(parts)
        rows.append(functional.normalize(value, dim=-1)[0].numpy() * value.shape[-1] ** 0.5)
    return np.stack(rows).astype(np.float64)


def distances(
    rows: Float[np.ndarray, "people views dim"],
) -> tuple[Float[np.ndarray, " people"], ...]:
    """Return 1 - cosine of each person's first view with the second, the others, other people.

    Args:
        rows: Unit vectors.
    """
    own = 1 - np.einsum("pd,pvd->pv", rows[:, 0], rows)
    across = 1 - rows[:, 0] @ rows[:, 1].T
    others = ~np.eye(len(rows), dtype=bool)
    between = [row[keep].mean() for row, keep in zip(across, others, strict=True)]
    return own[:, 1], own[:, 2:].mean(1), np.array(between)


def _unit(row: np.ndarray) -> np.ndarray:
    return row / np.linalg.norm(row)


def _ridge(
    x: Float[np.ndarray, "n dim"], y: Float[np.ndarray, "n out"]
) -> Callable[[np.ndarray], np.ndarray]:
    mean, middle = x.mean(0), y.mean(0)
    gram = (x - mean).T @ (x - mean) + _RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, (x - mean).T @ (y - middle))
    return lambda row: (row - mean) @ weights + middle


def _voice(numbers: np.ndarray, space: VoiceSpace) -> Float[np.ndarray, " 192"]:
    voices = NeuralVoices(perceived=perceived_of(numbers.tolist()), space=space)
    return voices.mean().embedding().astype(np.float64)


def _with_interval(values: np.ndarray, groups: np.ndarray | None = None) -> str:
    low, high = interval_of_mean(values.astype(np.float64), groups)
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/london")
    parser.add_argument("--weights", type=Path, default=TTSF_WEIGHTS, help="folder of the weights")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the report (.md)")
    arguments = parser.parse_args()
    head = TalkingHead.load(arguments.weights / "talking_head.safetensors")
    train, held = read_pairs(arguments.data)
    text = "\n\n".join(
        [
            f"# ttsf on {len(held)} people who were held out",
            picture_table(head, train, held),
            voice_table(head, train, held),
            "",
        ]
    )
    write_atomically(arguments.output, text.encode())
    print(text)


if __name__ == "__main__":
    main()
