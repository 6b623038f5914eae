"""Train the judges of how a face is seen, and measure them by cross-validation.

    python -m facevox.recipes.face_to_voice --data ../shared/data

About two minutes on one core.  Every picture is also degraded several times and its
landmarks are found again in the degraded picture by the product's own face mesh.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from facevox.core.checkpoint import WEIGHTS, save_checkpoint
from facevox.core.portrait.reader import read_portrait
from facevox.data.portraits import SETS, hold_out, list_portraits
from facevox.models.bridge.face_features import FaceFeatures
from facevox.models.bridge.perception import (
    AGES,
    NAME,
    NUM_TRAITS,
    VOTERS,
    AgeModel,
    mean_vote,
)
from facevox.recipes.face_judges import (
    area_under_roc,
    calibration_error,
    fit_temperature,
    folds_by_person,
    ridge,
    wilson_interval,
)
from facevox.recipes.face_table import Table, describe, mean_shape

PURPOSE = (
    "Estimates how a face is likely to be perceived (sex, age) to pick a voice that fits; "
    "it is not a fact about the person, must not be used to classify people, and both "
    "values can be overridden by the user."
)
LIMITS = (
    "Learned from 134 people, most of them 18 to 40 and photographed in a studio: children, "
    "people over 55, heavy make-up, beards on women, hats, glasses, covered or strongly "
    "turned faces and hard side light are outside of what it has seen; few people of each "
    "group other than white. Hair is not looked at."
)


AGE_BLOCKS = ("edges", "upper_shape", "lower_shape")
"""Features for the age: the grain of the skin depends more on camera and make-up."""


SHAPES = ("upper_shape", "lower_shape")


@dataclass(frozen=True, kw_only=True)
class Training:
    """Settings of a run.

    Attributes:
        copies: Degraded copies of each picture.
        sex_strength: Ridge penalty of the judge of sex.
        age_strength: Ridge penalty of the judge of age.
        folds: Folds of the cross-validation.
        adult_iris_spread: Factor on the scatter of the iris, for pictures worse than ours.
        caution: Part that is kept of the certainty measured on a set not trained on; photos
            of users differ more than one studio from another.
        seed: Seed of everything.
    """

    copies: int = 8
    sex_strength: float = 3e-3
    age_strength: float = 3e-3
    folds: int = 10
    adult_iris_spread: float = 1.5
    caution: float = 0.6
    seed: int = 0


def person_weights(table: Table, chosen: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Return weights by which each person counts once and each sex of a set equally."""
    people, source, female = np.array(table.people), table.source, table.female
    weights = np.zeros(len(chosen))
    for person in set(people[chosen]):
        own = chosen & (people == person)
        weights[own] = 1 / own.sum()
    for name in SETS:
        size = np.sqrt(len(set(people[chosen & (source == name)])))
        for sex in (False, True):
            part = chosen & (source == name) & (female == sex)
            if part.any():
                weights[part] *= size / weights[part].sum()
    return weights[chosen] / weights[chosen].mean()


def age_weights(
    table: Table, chosen: Bool[np.ndarray, " n"], width: float = 0.12
) -> Float[np.ndarray, " n"]:
    """Return weights by which all ages count alike, however many people are of that age.

    Args:
        table: The pictures.
        chosen: Rows that count.
        width: Ages that differ by less than this share are taken together.
    """
    years = np.log(table.age[chosen])
    kinds, kind = np.unique(years, return_inverse=True)
    density = np.array([np.exp(-0.5 * ((years - one) / width) ** 2).sum() for one in kinds])
    weights = 1 / density[kind]
    return weights / weights.mean()


def fit_judge(
    table: Table,
    chosen: Bool[np.ndarray, " n"],
    target: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " m"],
    strength: float,
    blocks: tuple[str, ...],
) -> tuple[Float[np.ndarray, " d"], float]:
    """Fit one judge on some rows; blocks count alike whatever their number of features.

    Returns:
        Weights of the raw features (0 for blocks that are left out) and the bias.
    """
    centers, scales = [], []
    for name, block in table.blocks.items():
        part = block[chosen]
        scale = part.std(0) + 1e-4 * np.abs(part).max()
        # landmarks share one unit, so that those which hardly move stay unimportant
        scale = np.full_like(scale, scale.mean()) if name in SHAPES else scale
        scale = scale * np.sqrt(part.shape[1])
        centers.append(part.mean(0))
        scales.append(scale if name in blocks else np.full_like(scale, np.inf))
    center, scale = np.concatenate(centers), np.concatenate(scales)
    x = (np.concatenate(list(table.blocks.values()), 1)[chosen] - center) / scale
    slope, bias = ridge(x, target[chosen], weights, strength)
    judge = slope / scale
    return judge, bias - float(judge @ center)


def fit_judges(
    table: Table, chosen: Bool[np.ndarray, " n"], training: Training
) -> tuple[Float[np.ndarray, "4 d"], Float[np.ndarray, " 4"]]:
    """Fit the voters on the sex and the judge of age on some rows."""
    sex, log_age = np.where(table.female, 1.0, -1.0), np.log(table.age)
    weights, strength = person_weights(table, chosen), training.sex_strength
    judges = [fit_judge(table, chosen, sex, weights, strength, (one,)) for one in VOTERS]
    known = chosen & ~np.isnan(log_age)
    weights, strength = age_weights(table, known), training.age_strength
    judges.append(fit_judge(table, known, log_age, weights, strength, AGE_BLOCKS))
    slopes, biases = zip(*judges, strict=True)
    return np.stack(slopes), np.array(biases)


def judge_held_out(
    table: Table, fold: Int[np.ndarray, " n"], training: Training
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return mean vote and age estimate of judges that have not seen a row's fold."""
    everything = np.concatenate(list(table.blocks.values()), 1)
    answers = np.empty((len(VOTERS) + 1, len(table.rows)))
    for one in np.unique(fold):
        judges, biases = fit_judges(table, fold != one, training)
        answers[:, fold == one] = judges @ everything[fold == one].T + biases[:, None]
    return mean_vote(answers[:-1]), answers[-1]


def fit_ages(table: Table, estimate: Float[np.ndarray, " n"], training: Training) -> AgeModel:
    """Fit how held-out age estimates and the iris depend on the age."""
    known = ~np.isnan(table.age)
    years = np.log(table.age[known])
    slope, offset = np.polyfit(years, estimate[known], 1)
    scatter = np.std(estimate[known] - slope * years - offset)
    iris = np.log(table.iris)
    by_set = [iris[table.source == name] for name in SETS]
    return AgeModel(
        slope=float(slope),
        offset=float(offset),
        sigma=float(scatter),
        iris=float(np.mean([part.mean() for part in by_set])),
        iris_sigma=float(np.std(iris) * training.adult_iris_spread),
    )


def measure_sex(table: Table, scores: Float[np.ndarray, " n"]) -> dict[str, Any]:
    """Return accuracy, interval and area under the curve, in all and by part."""

    def of(part: Bool[np.ndarray, " n"]) -> dict[str, Any]:
        right = (scores[part] > 0) == table.female[part]
        people = len({person for person, one in zip(table.people, part, strict=True) if one})
        # pictures of one person are not independent: the interval counts people
        low, high = wilson_interval(round(float(right.mean()) * people), people)
        result: dict[str, Any] = {
            "accuracy": round(float(right.mean()), 3),
            "pictures": int(part.sum()),
        }
        result |= {"people": people, "wilson_95": [round(low, 3), round(high, 3)]}
        if 0 < table.female[part].sum() < part.sum():
            result["auc"] = round(area_under_roc(scores[part], table.female[part]), 4)
        return result

    clean, source = table.clean, table.source
    groups = np.array([row.group for row in table.rows])
    smiling = np.array([row.smiling for row in table.rows])
    parts = {"as_it_is": clean, "degraded": ~clean, "smiling": clean & smiling}
    parts |= {name: clean & (source == name) for name in SETS}
    parts |= {f"{name}_degraded": ~clean & (source == name) for name in SETS}
    parts |= {f"london_{name}": clean & (groups == name) for name in sorted({*groups} - {""})}
    return {name: of(part) for name, part in parts.items() if part.any()}


def measure_age(
    table: Table, estimate: Float[np.ndarray, " n"], ages: AgeModel
) -> dict[str, dict[str, float]]:
    """Return error and correlation of the age [years]."""
    results = {}
    london = table.source == "london"
    for name, part in {
        "london": table.clean & london,
        "london_degraded": ~table.clean & london,
    }.items():
        part = part & ~np.isnan(table.age)
        pairs = zip(estimate[part], table.iris[part], strict=True)
        guess = np.array([ages.posterior(float(one), float(iris)) @ AGES for one, iris in pairs])
        truth = table.age[part]
        results[name] = {
            "mean_absolute_error": round(float(np.abs(guess - truth).mean()), 2),
            "bias": round(float((guess - truth).mean()), 2),
            "correlation": round(float(np.corrcoef(guess, truth)[0, 1]), 3),
            "always_the_mean": round(float(np.abs(truth - truth.mean()).mean()), 2),
        }
    return results


def fit_traits(table: Table) -> tuple[Float[np.ndarray, "2 3"], Float[np.ndarray, " 3"]]:
    """Return means (men, women) and the scale within a sex of the build."""
    means = np.stack([table.traits[table.female == sex].mean(0) for sex in (False, True)])
    inner = table.traits - means[table.female.astype(int)]
    return means, inner[table.clean].std(0).reshape(NUM_TRAITS)


def train(data: Path, training: Training) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the tensors and the configuration with the measured results."""
    listed, _ = hold_out(list_portraits(data / "faces"))
    portraits = [read_portrait(row.path) for row in listed]
    shape, mirror = mean_shape(portraits)
    table = describe(listed, portraits, FaceFeatures(shape, mirror), training.copies, training.seed)
    people = folds_by_person(table.people, training.folds, training.seed)
    sets = np.array([SETS.index(name) for name in table.source])
    held_out, estimate = judge_held_out(table, people, training)
    other_set, _ = judge_held_out(table, sets, training)
    everything = np.ones(len(sets), bool)
    # a user's photo is a new set: the certainty is that on sets not trained on
    factor = fit_temperature(other_set, table.female, person_weights(table, everything))
    factor *= training.caution
    judges, biases = fit_judges(table, everything, training)
    ages = fit_ages(table, estimate, training)
    means, scales = fit_traits(table)
    chances = 1 / (1 + np.exp(-factor * other_set))
    tensors: dict[str, np.ndarray] = {
        "shape": shape.astype(np.float32),
        "mirror": mirror.astype(np.int16),
        "judges": judges.astype(np.float32),
        "biases": biases.astype(np.float32),
        "trait_means": means.astype(np.float32),
        "trait_scales": scales.astype(np.float32),
    }
    config = {"num_features": judges.shape[1], "certainty": factor, "ages": asdict(ages)}
    results = {
        "sex_by_person": measure_sex(table, held_out),
        "sex_other_set": measure_sex(table, other_set),
        "calibration_error_other_set": round(calibration_error(chances, table.female), 3),
        "age_by_person": measure_age(table, estimate, ages),
        "wrong_by_person": sorted(
            {r.path.stem for r, s, c in zip(table.rows, held_out, table.clean, strict=True)
             if c and (s > 0) != r.female}
        ),
    }  # fmt: skip
    return tensors, {"config": config, "training": asdict(training), "results": results}


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder of the weights")
    parser.add_argument("--copies", type=int, default=Training.copies)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    start = time.monotonic()
    tensors, measured = train(options.data, Training(copies=options.copies))
    card = {
        "kind": "face-to-voice",
        "purpose": PURPOSE,
        "limits": LIMITS,
        **measured,
        "data": "Face Research Lab London Set (DeBruine & Jones 2017, CC BY 4.0); Canada faces "
        "(figshare 4220517, CC BY); generated portraits of EchoMimicV2 (Apache-2.0)",
        "licence": "Apache-2.0",
        "command": "python -m facevox.recipes.face_to_voice --data DATA",
        "date": date.today().isoformat(),
        "seconds": round(time.monotonic() - start, 1),
    }
    save_checkpoint(options.out / f"{NAME}.safetensors", tensors, card)
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
