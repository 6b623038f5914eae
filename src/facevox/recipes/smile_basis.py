"""Learn what a smile does to a face from pairs of neutral and smiling photos.

    python -m facevox.recipes.smile_basis --data ../shared/data

Reads `faces/london/{neutral,smiling}/NNN.jpg`.  Ridge regression from ten
measures of a face to its movement away from neutral; judged on people left out.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from jaxtyping import Float

from facevox.core.checkpoint import WEIGHTS, save_checkpoint
from facevox.core.errors import DataError, FacevoxError
from facevox.core.portrait.reader import read_portrait
from facevox.data.portraits import HELD_OUT
from facevox.models.face.mouth_basis import MouthBasis, register
from facevox.models.face.smile_basis import NUM_FEATURES, smile_features, symmetric

RIDGE = 3.0
_MOUTH = (61, 291, 0, 17, 13, 14, 37, 267, 84, 314, 40, 270, 91, 321, 152, 205, 425, 50, 280)


def read_pairs(
    folder: Path, basis: MouthBasis
) -> tuple[Float[np.ndarray, "people 478 3"], Float[np.ndarray, "people 478 3"]]:
    """Return neutral and smiling faces of the same people, canonical and symmetric [IOD].

    People held out for the evaluation are left out.

    Raises:
        DataError: If there are fewer than ten pairs.
    """
    pairs = []
    for neutral in sorted((folder / "neutral").glob("*.jpg")):
        if f"london-{neutral.stem}" in HELD_OUT:
            continue
        try:
            faces = [
                read_portrait(path).landmarks
                for path in (neutral, folder / "smiling" / neutral.name)
            ]
        except FacevoxError as error:
            print(f"{neutral.name} left out: {error}")
            continue
        pairs.append([symmetric(register(face, basis.neutral), basis.mirror) for face in faces])
    if len(pairs) < 10:
        raise DataError(f"{folder} holds {len(pairs)} pairs of photos; at least 10 are needed.")
    both = np.array(pairs)
    return both[:, 0], both[:, 1]


def fit(
    features: Float[np.ndarray, "faces 10"], movement: Float[np.ndarray, "faces 1434"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and deviation of the features, and the ridge weights."""
    mean, deviation = features.mean(0), features.std(0)
    scaled = np.column_stack([(features - mean) / deviation, np.ones(len(features))])
    penalty = RIDGE * np.diag([1.0] * NUM_FEATURES + [0.0])
    weights = np.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ movement)
    return mean, deviation, weights


def left_out_errors(
    features: Float[np.ndarray, "faces 10"],
    movement: Float[np.ndarray, "faces 1434"],
    person: np.ndarray,
) -> Float[np.ndarray, "faces 1434"]:
    """Return the error of every face when its person is not trained on."""
    errors = np.zeros_like(movement)
    for one in np.unique(person):
        test = person == one
        mean, deviation, weights = fit(features[~test], movement[~test])
        scaled = np.column_stack([(features[test] - mean) / deviation, np.ones(test.sum())])
        errors[test] = movement[test] - scaled @ weights
    return errors


def train(data: Path, output: Path) -> dict:
    """Learn the basis, write it with its card and return the card."""
    neutral, smiling = read_pairs(data / "faces" / "london", MouthBasis.load())
    moved = (smiling - neutral).reshape(len(neutral), -1)
    features = smile_features(np.concatenate([smiling, neutral]))
    movement = np.concatenate([moved, np.zeros_like(moved)])
    person = np.tile(np.arange(len(neutral)), 2)
    errors = left_out_errors(features, movement, person).reshape(-1, 478, 3)[:, list(_MOUTH), :2]
    mean, deviation, weights = fit(features, movement)
    count = len(neutral)
    still = moved.reshape(count, 478, 3)[:, list(_MOUTH), :2]
    card = {
        "kind": "smile-basis",
        "config": {"features": NUM_FEATURES, "ridge": RIDGE},
        "data": "Face Research Lab London Set (DeBruine & Jones 2017), CC BY 4.0; "
        "landmarks by MediaPipe face mesh (Apache-2.0)",
        "licence": "Apache-2.0",
        "command": "python -m facevox.recipes.smile_basis --data DATA",
        "date": time.strftime("%Y-%m-%d"),
        "results": {
            "people": count,
            "mouth_movement_rms_iod": round(float(np.sqrt((still**2).mean())), 4),
            "left_out_error_smiling_rms_iod": round(
                float(np.sqrt((errors[:count] ** 2).mean())), 4
            ),
            "left_out_error_neutral_rms_iod": round(
                float(np.sqrt((errors[count:] ** 2).mean())), 4
            ),
        },
    }
    tensors = {
        "smile": moved.mean(0).reshape(478, 3),
        "mean": mean,
        "deviation": deviation,
        "weights": weights,
    }
    save_checkpoint(
        output, {name: array.astype(np.float32) for name, array in tensors.items()}, card
    )
    return card


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/london")
    parser.add_argument("--output", type=Path, default=WEIGHTS / "smile_basis.safetensors")
    options = parser.parse_args()
    print(train(options.data, options.output)["results"])


if __name__ == "__main__":
    main()
