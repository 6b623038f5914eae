"""How old and how female or male a face looks, and how sure one can be."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from facevox.core.checkpoint import WEIGHTS, load_card, load_checkpoint
from facevox.core.errors import CheckpointError
from facevox.core.portrait.portrait import NUM_LANDMARKS, Portrait
from facevox.models.bridge.face_features import NOSE_BASE, FaceFeatures, iris_size

NAME = "face_to_voice"
AGES = np.arange(3.0, 91.0)
"""Ages that are told apart [years]."""

GROWN_UP = 18.0
IRIS_GROWTH = 0.0154
"""Share of the adult distance between the eyes that is missing per year below `GROWN_UP`."""

VOTERS = ("edges", "grain", "upper_shape")
"""Blocks of features that vote on the sex, each with its own judge."""

VOTE_LIMIT = 1.0
"""A voter that is surer than this says this, so that none decides alone on a strange face."""

NUM_TRAITS = 3
_LEFT_JAW, _RIGHT_JAW = 397, 172
_LEFT_CHEEK, _RIGHT_CHEEK = 454, 234
_LEFT_TEMPLE, _RIGHT_TEMPLE = 356, 127
_LEFT_EYE_CORNER, _RIGHT_EYE_CORNER = 263, 33
_NOSE_ROOT = 168


@dataclass(frozen=True, kw_only=True, slots=True)
class Perceived:
    """How a face is likely to be seen; not a fact about the person.

    Attributes:
        female: Probability that people call the face a woman's, 0 to 1.
        age: Mean of the ages that people would guess [years].
        age_sigma: Standard deviation of these guesses [years].
        breadth: Width of the jaw [sd], 0 for the average of that sex.
        length: Length of the nose over the width of the face [sd], likewise.
        width: Width of the temples over the span of the eyes [sd], likewise.
    """

    female: float
    age: float
    age_sigma: float
    breadth: float = 0.0
    length: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AgeModel:
    """How the network's age estimate and the iris depend on the true age.

    Attributes:
        slope: d estimate / d log(age); below 1 as regression shrinks towards the mean.
        offset: Estimate for log(age) = 0.
        sigma: Scatter of the estimate.
        iris: Mean of log(iris diameter [IOD]) of adults.
        iris_sigma: Its scatter.
        prior_age: Median age of the people in users' portraits [years].
        prior_sigma: Spread of log(age) among them.
        prior_any: Share of users' portraits about whose age nothing is assumed.
    """

    slope: float
    offset: float
    sigma: float
    iris: float
    iris_sigma: float
    prior_age: float = 36.0
    prior_sigma: float = 0.45
    prior_any: float = 0.06

    def posterior(self, estimate: float, iris: float) -> Float[np.ndarray, " ages"]:
        """Return the probability of each of `AGES`, by Bayes' rule.

        Args:
            estimate: The network's age estimate.
            iris: Diameter of the iris [IOD].
        """
        years = np.log(AGES)
        prior = np.exp(-0.5 * ((years - np.log(self.prior_age)) / self.prior_sigma) ** 2) / AGES
        prior = (1 - self.prior_any) * prior / prior.sum() + self.prior_any / len(AGES)
        skin = (estimate - self.offset - self.slope * years) / self.sigma
        grown = 1 - IRIS_GROWTH * np.maximum(GROWN_UP - AGES, 0)
        eyes = (np.log(iris) - self.iris + np.log(grown)) / self.iris_sigma
        log = np.log(prior) - 0.5 * (skin**2 + eyes**2)
        weights = np.exp(log - log.max())
        return weights / weights.sum()


class FacePerception:
    """Linear judges on `FaceFeatures`; a few tens of kilobytes.

    Args:
        features: What faces are described by.
        judges: Weight of every feature for each of the `VOTERS`, then for the age estimate.
        biases: Their biases.
        certainty: Logit of `female` per mean vote.
        trait_means: Means of the traits, of men and of women.
        trait_scales: Their standard deviations within a sex.
        ages: How to read the age estimate.
    """

    def __init__(
        self,
        features: FaceFeatures,
        judges: Float32[np.ndarray, "4 n"],
        biases: Float32[np.ndarray, " 4"],
        certainty: float,
        trait_means: Float32[np.ndarray, "2 3"],
        trait_scales: Float32[np.ndarray, " 3"],
        ages: AgeModel,
    ) -> None:
        self.features, self.ages = features, ages
        self._judges, self._biases, self._certainty = judges, biases, certainty
        self._trait_means, self._trait_scales = trait_means, trait_scales

    @classmethod
    def load(cls) -> "FacePerception":
        """Load the weights that ship with the package.

        Raises:
            CheckpointError: If they are absent, damaged or do not fit.
        """
        path = WEIGHTS / f"{NAME}.safetensors"
        card = load_card(path)
        size = _config(card, "num_features")
        shapes = {
            "shape": (NUM_LANDMARKS, 3),
            "mirror": (NUM_LANDMARKS,),
            "judges": (len(VOTERS) + 1, size),
            "biases": (len(VOTERS) + 1,),
            "trait_means": (2, NUM_TRAITS),
            "trait_scales": (NUM_TRAITS,),
        }
        found = load_checkpoint(path, shapes)
        try:
            ages = AgeModel(**_config(card, "ages"))
        except TypeError as error:
            raise CheckpointError(f"The card of {path} does not fit: {error}.") from error
        return cls(
            FaceFeatures(found["shape"], found["mirror"].astype(np.int64)),
            found["judges"],
            found["biases"],
            float(_config(card, "certainty")),
            found["trait_means"],
            found["trait_scales"],
            ages,
        )

    @property
    def num_parameters(self) -> int:
        """Numbers that were learned."""
        return self._judges.size + self._biases.size

    def __call__(self, portrait: Portrait) -> Perceived:
        """Return how the face is likely to be seen."""
        description = np.concatenate(list(self.features(portrait).values()))
        *votes, estimate = (self._judges @ description + self._biases).tolist()
        female = float(1 / (1 + np.exp(-self._certainty * mean_vote(np.array(votes)))))
        chances = self.ages.posterior(estimate, iris_size(portrait.landmarks))
        age = float(chances @ AGES)
        mean = (1 - female) * self._trait_means[0] + female * self._trait_means[1]
        build = np.clip((traits(portrait.landmarks) - mean) / self._trait_scales, -3, 3)
        breadth, length, width = build.tolist()
        return Perceived(
            female=female,
            age=age,
            age_sigma=float(np.sqrt(chances @ (AGES - age) ** 2)),
            breadth=breadth,
            length=length,
            width=width,
        )


def mean_vote(votes: Float[np.ndarray, "voters *n"]) -> Any:
    """Return the mean of the votes, each held within `VOTE_LIMIT`."""
    return np.clip(votes, -VOTE_LIMIT, VOTE_LIMIT).mean(0)


def traits(landmarks: Float32[np.ndarray, "478 3"]) -> Float[np.ndarray, " 3"]:
    """Return the logs of jaw width / IOD, nose length / face width, temples / eye span.

    Of the distances tried these change least with a smile.
    """

    def distance(first: int, second: int) -> float:
        return float(np.linalg.norm(landmarks[first] - landmarks[second]))

    return np.log(
        [
            distance(_LEFT_JAW, _RIGHT_JAW) / distance(473, 468),
            distance(_NOSE_ROOT, NOSE_BASE) / distance(_LEFT_CHEEK, _RIGHT_CHEEK),
            distance(_LEFT_TEMPLE, _RIGHT_TEMPLE) / distance(_LEFT_EYE_CORNER, _RIGHT_EYE_CORNER),
        ]
    )


def _config(card: dict[str, Any], name: str) -> Any:
    try:
        return card["config"][name]
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"The card of {NAME} lacks config.{name}; train it again.") from error
