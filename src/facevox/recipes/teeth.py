"""Measure how bright teeth are in the light of a photo, and how they darken to the back.

    python -m facevox.recipes.teeth --data ../shared/data

Reads `faces/london/{neutral,smiling}/NNN.jpg`.  Teeth are found in the smiling photo,
the whites of the eyes and the cheeks in the neutral one of the same person: that is
what a photo with closed lips shows.  Prints the constants of
`models/face/warp/mouth_light.py` and `models/face/warp/teeth.py` as JSON.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from facevox.core.errors import DataError, FacevoxError
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS
from facevox.core.portrait.reader import read_portrait
from facevox.models.face.warp.linear_light import luminance
from facevox.models.face.warp.mouth_light import measure_mouth_light, read_sclera_and_cheeks
from facevox.models.face.warp.own_teeth import OwnTeeth, find_own_teeth

IOD = 130.0
"""Size at which photos are measured [px]."""

DISTANCES = np.arange(0.02, 0.40, 0.04)
"""Distances from the middle at which brightness is read [IOD]."""


@dataclass(frozen=True)
class Pair:
    """What the two photos of one person tell.

    Attributes:
        sclera: Luminance of the whites of the eyes with closed lips.
        cheek: Luminance of the cheeks with closed lips.
        teeth: Luminance of the front teeth in the smile.
        falloff: Brightness at `DISTANCES` over that of the front teeth; NaN if unseen.
    """

    sclera: float
    cheek: float
    teeth: float
    falloff: Float[np.ndarray, " distances"]


def read_face(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo scaled to an IOD of `IOD` px, and its landmarks in it."""
    portrait = read_portrait(path)
    points = portrait.landmarks[:, :2]
    scale = IOD / float(np.linalg.norm(points[LEFT_IRIS] - points[RIGHT_IRIS]))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = cv2.resize(portrait.pixels, None, fx=scale, fy=scale, interpolation=method)
    return np.asarray(pixels), np.ascontiguousarray(points * scale, np.float32)


def find_teeth(crop: np.ndarray, landmarks: np.ndarray) -> OwnTeeth | None:
    """Return the teeth that a smiling photo shows."""
    across = landmarks[LEFT_IRIS] - landmarks[RIGHT_IRIS]
    right = across / np.linalg.norm(across)
    axes = np.array([right, [-right[1], right[0]]], np.float32)
    origin = landmarks[13] + np.float32(0.35) * (landmarks[14] - landmarks[13])
    light = measure_mouth_light(crop, landmarks, IOD)
    return find_own_teeth(crop, landmarks, IOD, origin=origin, axes=axes, light=light)


def measure(neutral: Path, smiling: Path) -> Pair | None:
    """Return what two photos of a person tell, None if eyes or teeth are not seen."""
    sclera, cheeks = read_sclera_and_cheeks(*read_face(neutral), IOD)
    own = find_teeth(*read_face(smiling))
    if own is None or sclera is None:
        return None
    front = float(luminance(own.colour))
    middle = (own.top + own.edge) / 2
    rows = np.clip(np.searchsorted(own.rows, middle), 0, len(own.rows) - 1)
    level = luminance(own.light)[rows, np.arange(len(rows))]
    falloff = np.full(len(DISTANCES), np.nan)
    for index, distance in enumerate(DISTANCES):
        near = (np.abs(np.abs(own.columns) - distance) < 0.02) & (own.cover > 0.3)
        if near.sum() > 4:
            falloff[index] = np.percentile(level[near], 75) / front
    cheek = float(luminance(cheeks.mean(0)))
    return Pair(sclera=float(luminance(sclera)), cheek=cheek, teeth=front, falloff=falloff)


def fit(pairs: list[Pair]) -> dict[str, object]:
    """Fit `teeth = gain * sclera^a * cheek^(1 - a)` and the fall of brightness.

    The powers add up to 1: twice the exposure makes everything twice as bright.  One
    studio's light varies too little to show that by itself.
    """
    sclera, cheek, teeth = np.log([(pair.sclera, pair.cheek, pair.teeth) for pair in pairs]).T
    inputs = np.stack([np.ones(len(pairs)), sclera - cheek], axis=1)
    weights = np.linalg.lstsq(inputs, teeth - cheek, rcond=None)[0]
    falloff = np.nanmedian([pair.falloff for pair in pairs], axis=0)
    residual = inputs @ weights - (teeth - cheek)
    return {
        "people": len(pairs),
        "gain": round(float(np.exp(weights[0])), 3),
        "sclera_power": round(float(weights[1]), 3),
        "cheek_power": round(float(1 - weights[1]), 3),
        "residual_log": round(float(np.std(residual)), 3),
        "distances": [round(float(x), 2) for x in DISTANCES],
        "falloff": [round(float(y), 2) for y in falloff],
    }


def main() -> None:
    """Measure every pair of photos and print the constants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data / "faces" / "london"
    pairs = []
    for neutral in sorted((folder / "neutral").glob("*.jpg")):
        try:
            pair = measure(neutral, folder / "smiling" / neutral.name)
        except FacevoxError as error:
            print(f"{neutral.name} left out: {error}")
            continue
        pairs += [pair] if pair is not None else []
    if len(pairs) < 10:
        raise DataError(f"{folder} shows the teeth of {len(pairs)} people; at least 10 are needed.")
    print(json.dumps(fit(pairs), indent=2))


if __name__ == "__main__":
    main()
