"""DCTS: do voices keep to one identity and differ between identities?

Several utterances per identity are embedded by a speaker encoder.  Two ratios compare
tuples of K utterances of one identity (intra) with tuples of K identities (inter):

- RIR = I_intra / I_inter, how much more dependent the embeddings of one identity are;
- RCR = D_inter / D_intra, how much further apart different identities are;
- DCTS = sqrt(RIR / (RIR + 1) * RCR / (RCR + 1)), 0.5 when identities cannot be told apart.

The paper does not say what the observations of the joint density are, nor K, nor the
bandwidth.  A density in K x 192 dimensions cannot be estimated from a few utterances, so
here the K embeddings are K random variables *observed over the embedding's dimensions*,
and I is their multi-information.

Traps:
    A voice that is the same whatever the seed, or that repeats one utterance, scores high:
    read the raw intra distance beside it.  The measure rewards consistency more than
    diversity.  Numbers of different K, densities or encoders cannot be compared, and the
    published ones follow an averaging that equation 9 alone does not give.
    Multi-information has no sign: anti-correlated embeddings also raise it.  The mixture
    also gives 0.50 where there is nothing to tell apart, but sees more in the same voices
    (K=8, identity variance 0.4: RIR 4.8 against 1.09 with kernels).

Reference:
    Face2VoiceSync, arXiv 2507.19225, 2025, equations 6 to 9.
    Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 4.3.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int

from facevox.core.errors import InputError
from facevox.evaluation.bootstrap import interval_of_mean
from facevox.evaluation.judges.speaker_encoder import LABELS, embedding_of
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Figure, NotMeasured, Observation, Result, Seen
from facevox.evaluation.metrics.multi_information import KernelInformation, MixtureInformation

SAMPLES = 8
"""Utterances per identity, K."""

TUPLES = 50
"""Random tuples per identity, R."""

EPSILON = 1e-8

Density = Literal["kde", "gmm"]


@dataclass(frozen=True, kw_only=True)
class DctsScore:
    """Outcome of `dcts`.

    Attributes:
        value: Mean over identities of their DCTS.
        rir: Mean over identities of their RIR.
        rcr: Mean over identities of their RCR.
        aggregate: DCTS of the I and D averaged over identities first.
        intra_distance: Mean cosine distance within an identity.
        inter_distance: Mean cosine distance between identities.
        intra_dependence: Mean multi-information within an identity [nat].
        inter_dependence: Mean multi-information between identities [nat].
        identities: Names, in the order of the arrays.
        values: DCTS of every identity.
        rirs: RIR of every identity.
        rcrs: RCR of every identity.
        intra_distances: Mean cosine distance within every identity.
        inter_distances: Mean cosine distance of every identity to others.
        samples: K.
        density: How densities were estimated.
    """

    value: float
    rir: float
    rcr: float
    aggregate: float
    intra_distance: float
    inter_distance: float
    intra_dependence: float
    inter_dependence: float
    identities: tuple[str, ...]
    values: Float64[np.ndarray, " m"]
    rirs: Float64[np.ndarray, " m"]
    rcrs: Float64[np.ndarray, " m"]
    intra_distances: Float64[np.ndarray, " m"]
    inter_distances: Float64[np.ndarray, " m"]
    samples: int
    density: Density


def combine(
    rir: float | Float[np.ndarray, " m"], rcr: float | Float[np.ndarray, " m"]
) -> float | Float[np.ndarray, " m"]:
    """Return DCTS from both ratios (equation 9), in [0, 1)."""
    return np.sqrt(rir / (rir + 1) * (rcr / (rcr + 1)))


def dcts(
    embeddings: Mapping[str, Float[np.ndarray, "_ dim"]],
    samples_per_identity: int = SAMPLES,
    density: Density = "kde",
    seed: int = 0,
    *,
    tuples: int = TUPLES,
) -> DctsScore:
    """Measure how well voices keep to their identity and differ between identities.

    Every embedding is z-scored over its own dimensions.  Kernel densities take one
    bandwidth for all (Silverman's, unit variance) and count the point itself: the bias is
    then the same within and between identities, and RIR tends to 1 where there is nothing
    to tell apart.  The order of identities and utterances and the scale of embeddings do
    not matter.

    Args:
        embeddings: Name of an identity -> embeddings of its utterances (n, dim), n may
            differ.
        samples_per_identity: Utterances in a tuple, K, at least 2.
        density: `kde`, or `gmm`: a mixture of two Gaussians with full covariance.
        seed: Seed of the draws.
        tuples: Tuples per identity, R; all tuples of an identity are taken if there are
            no more than that.

    Raises:
        InputError: If there are too few utterances or identities, or an embedding is
            constant or not finite.
            For the mixture also if a twentieth of an embedding has one value, as where
            negative values were set to 0: a component would shrink to that point.
        MissingPiece: If the mixture is asked for and scikit-learn is not installed.

    Reference:
        Face2VoiceSync, arXiv 2507.19225, equations 6 to 9.
    """
    count = samples_per_identity
    _check(embeddings, count)
    names = sorted(embeddings)
    raw = [_in_order(np.asarray(embeddings[name], np.float64)) for name in names]
    first = np.cumsum([0] + [len(part) for part in raw])
    rows = np.concatenate(raw)
    generator = np.random.default_rng(seed)
    chosen = [_draw(first, m, count, tuples, generator) for m in range(len(names))]
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    scored = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
    measure = (
        KernelInformation(scored, count) if density == "kde" else MixtureInformation(scored, seed)
    )
    intra_i, inter_i = (
        np.array([max(float(measure(pair[side]).mean()), 0.0) for pair in chosen])
        for side in (0, 1)
    )
    intra_d, inter_d = (
        np.array([_mean_distance(distances, pair[side]) for pair in chosen]) for side in (0, 1)
    )
    return _score((intra_i, inter_i), (intra_d, inter_d), tuple(names), count, density)


def _score(
    dependence: tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]],
    distance: tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]],
    names: tuple[str, ...],
    count: int,
    density: Density,
) -> DctsScore:
    """Combine what was measured within and between identities."""
    (intra_i, inter_i), (intra_d, inter_d) = dependence, distance
    rirs, rcrs = intra_i / (inter_i + EPSILON), inter_d / (intra_d + EPSILON)
    values = combine(rirs, rcrs)
    rir = float(intra_i.mean() / (inter_i.mean() + EPSILON))
    rcr = float(inter_d.mean() / (intra_d.mean() + EPSILON))
    return DctsScore(
        value=float(np.mean(values)),
        rir=float(rirs.mean()),
        rcr=float(rcrs.mean()),
        aggregate=float(combine(rir, rcr)),
        intra_distance=float(intra_d.mean()),
        inter_distance=float(inter_d.mean()),
        intra_dependence=float(intra_i.mean()),
        inter_dependence=float(inter_i.mean()),
        identities=names,
        values=np.asarray(values),
        rirs=rirs,
        rcrs=rcrs,
        intra_distances=intra_d,
        inter_distances=inter_d,
        samples=count,
        density=density,
    )


def _check(embeddings: Mapping[str, np.ndarray], count: int) -> None:
    if count < 2:
        raise InputError(f"DCTS needs at least 2 utterances per identity, got K={count}.")
    if len(embeddings) < count:
        raise InputError(
            f"DCTS with K={count} needs at least {count} identities, got {len(embeddings)}."
        )
    lengths = {rows.shape[1:] for rows in map(np.asarray, embeddings.values())}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise InputError(
            "Embeddings must be one a row, (n, dim), all of one length, "
            f"got shapes (n, ...) with {sorted(lengths)}."
        )
    for name, rows in embeddings.items():
        if len(rows) < count:
            raise InputError(
                f"DCTS with K={count} needs at least {count} utterances per identity; "
                f"{name} has {len(rows)}."
            )
        if not np.isfinite(rows).all():
            raise InputError(f"An embedding of {name} holds values that are not finite.")
        if (np.ptp(rows, axis=1) == 0).any():
            raise InputError(f"An embedding of {name} has the same value everywhere.")


def _in_order(rows: Float64[np.ndarray, "n dim"]) -> Float64[np.ndarray, "n dim"]:
    """Sort the utterances by their values, so that their order cannot change the draws."""
    scored = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
    return rows[np.lexsort(scored.T)]


def _draw(
    first: Int[np.ndarray, " m1"], m: int, count: int, tuples: int, generator: np.random.Generator
) -> tuple[Int[np.ndarray, "r k"], Int[np.ndarray, "r2 k"]]:
    """Return rows of tuples within identity m, and of tuples of m and other identities."""
    own = np.arange(first[m], first[m + 1])
    if comb(len(own), count) <= tuples:
        intra = np.array(list(combinations(own, count)))
    else:
        intra = np.stack([generator.permutation(own)[:count] for _ in range(tuples)])
    others = np.delete(np.arange(len(first) - 1), m)
    people = np.stack([generator.permutation(others)[: count - 1] for _ in range(tuples)])
    people = np.column_stack([np.full(tuples, m), people])
    inter = first[people] + generator.integers(first[people + 1] - first[people])
    return intra, inter


def _mean_distance(distances: Float64[np.ndarray, "n n"], chosen: Int[np.ndarray, "r k"]) -> float:
    """Return the mean over tuples and over pairs within a tuple."""
    left, right = np.triu_indices(chosen.shape[1], 1)
    return max(float(distances[chosen[:, left], chosen[:, right]].mean()), 0.0)


class Dcts:
    """DCTS of a system's clips, with everything needed to read it.

    Args:
        judge: Name of the speaker encoder.
        samples: Utterances per identity, K.
        density: How densities are estimated; see `dcts`.
    """

    version = 1
    uses_landmarks = False

    def __init__(
        self, judge: str = "campplus", samples: int = SAMPLES, density: Density = "kde"
    ) -> None:
        mixture = density == "gmm"
        self.name = f"dcts-{judge}-{samples}" + ("-gmm" if mixture else "")
        self.judges, self._samples, self._density = (judge,), samples, density
        self._label = f"({LABELS[judge]}, K={samples}{', GMM' if mixture else ''})"
        how = "a mixture of two Gaussians" if mixture else "kernel density (Silverman)"
        protocol = (
            f"Our estimator: {LABELS[judge]} embeddings of the generated speech (16 kHz), "
            f"K={samples} utterances as variables observed over the dimensions, {how}, "
            f"{TUPLES} tuples per identity, mean over identities; 0.5 = "
            "identities cannot be told apart. A collapsed voice scores high: read the intra "
            "distance beside it."
        )
        better: dict[str, Literal["higher", "neither"]] = {
            "DCTS": "higher",
            "RIR": "higher",
            "RCR": "higher",
            "DCTS aggregate": "higher",
            "voice distance within": "neither",
            "voice distance between": "neither",
        }
        self.figures = tuple(
            Figure(name=f"{name} {self._label}", unit="", better=better[name], protocol=protocol)
            for name in better
        )

    def observe(self, media: ClipMedia) -> Observation:
        """Embed the voice of one clip."""
        return {"embedding": embedding_of(media, self.judges[0])}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return all figures; intervals draw identities anew.

        Each identity is compared with the same others, so the mean distance between them
        gets no interval: it would be far too narrow.
        """
        by_person: dict[str, list[np.ndarray]] = {}
        for item in seen:
            by_person.setdefault(item.clip.identity, []).append(item.observation["embedding"])
        by_person.pop("", None)
        kept = {k: np.stack(v) for k, v in by_person.items() if len(v) >= self._samples}
        if len(kept) < self._samples:
            reason = (
                f"needs at least {self._samples} identities with {self._samples} clips each, "
                f"got {len(kept)}"
            )
            return {figure.name: NotMeasured(reason=reason) for figure in self.figures}
        score = dcts(kept, self._samples, self._density, seed)
        return self._results(score, len(by_person), seed)

    def _results(self, score: DctsScore, people: int, seed: int) -> Mapping[str, Result]:
        kept = len(score.identities)
        left_out = people - kept
        note = f"{left_out} with fewer than {self._samples} clips left out" if left_out else ""

        def estimate(value: float, each: np.ndarray | None = None) -> Estimate:
            low, high = (None, None) if each is None else interval_of_mean(each, seed=seed)
            return Estimate(value=value, low=low, high=high, count=kept, of="identities", note=note)

        found = {
            "DCTS": estimate(score.value, score.values),
            "RIR": estimate(score.rir, score.rirs),
            "RCR": estimate(score.rcr, score.rcrs),
            "DCTS aggregate": estimate(score.aggregate),
            "voice distance within": estimate(score.intra_distance, score.intra_distances),
            "voice distance between": estimate(score.inter_distance),
        }
        return {f"{name} {self._label}": value for name, value in found.items()}
