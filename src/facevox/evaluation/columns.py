"""A column of a report: metrics look at the clips of one system, and sum up."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from facevox.evaluation.clip import Clip
from facevox.evaluation.generate import Row
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Result, Seen, judges_of
from facevox.evaluation.observe import Outcome, observe_all
from facevox.evaluation.report.report import SystemScores

Outcomes = list[tuple[Clip, dict[str, Outcome]]]
"""Each clip with what every metric made of it."""


@dataclass(frozen=True)
class Plan:
    """What every column is scored with."""

    groups: dict[str, tuple[Metric, ...]]
    judges: Judges
    tracker: str
    kept: Path
    jobs: int
    seed: int
    step: Callable[[str], None]

    @property
    def metrics(self) -> list[Metric]:
        """All metrics, in order."""
        return [metric for metrics in self.groups.values() for metric in metrics]

    def obstacle(self, metric: Metric, row: Row) -> str:
        """Return why a metric cannot be measured of a system at all, or nothing."""
        trained_against = row.info.get("trained_against", ())
        for judge in judges_of(metric, self.tracker):
            if judge in trained_against:
                return f"refused: the system was trained against the judge {judge}"
            if problem := self.judges.problem(judge):
                return problem
        return ""


def look_at(row: Row, plan: Plan) -> Outcomes:
    """Let every metric that can look at the clips of one system."""
    able = [metric for metric in plan.metrics if not plan.obstacle(metric, row)]
    outcomes = []
    for clip, found in observe_all(
        row.clips, able, plan.judges, plan.tracker, plan.kept, jobs=plan.jobs
    ):
        outcomes.append((clip, found))
        plan.step(f"{row.name}: looked at {clip.name}")
    return outcomes


def score_column(row: Row, outcomes: Outcomes, plan: Plan) -> SystemScores:
    """Return the column of one system."""
    results: dict[str, Result] = {}
    per_clip: dict[str, dict[str, float]] = {}
    for metric in plan.metrics:
        if reason := plan.obstacle(metric, row):
            results |= {figure.name: NotMeasured(reason=reason) for figure in metric.figures}
        else:
            results |= summarise(metric, outcomes, seed=plan.seed)
            _add_per_clip(metric, outcomes, per_clip)
    notes = Counter(
        note for _, found in outcomes for note in {n for o in found.values() for n in o.notes}
    )
    return SystemScores(
        name=row.name,
        info=row.info,
        clips=len(row.clips),
        failed=dict(row.failed),
        results=results,
        notes=dict(notes),
        per_clip=per_clip,
        identities={clip.name: clip.identity for clip in row.clips if clip.identity},
    )


def summarise(metric: Metric, outcomes: Outcomes, *, seed: int) -> dict[str, Result]:
    """Return the results of one metric; where no clip could be scored, why."""
    seen = [
        Seen(clip, observation)
        for clip, found in outcomes
        if (observation := found[metric.name].observation) is not None
    ]
    reasons = Counter(
        found[metric.name].reason for _, found in outcomes if found[metric.name].reason
    )
    if not seen:
        why = reasons.most_common(1)[0][0] if reasons else "there is no clip"
        return {figure.name: NotMeasured(reason=why) for figure in metric.figures}
    results = dict(metric.summarise(seen, seed=seed))
    if not reasons:
        return results
    left_out = f"{sum(reasons.values())} clips left out: {'; '.join(list(reasons)[:3])}"
    return {name: _with_note(result, left_out) for name, result in results.items()}


def _with_note(result: Result, note: str) -> Result:
    if isinstance(result, NotMeasured):
        return NotMeasured(reason=f"{result.reason} ({note})")
    return replace(result, note="; ".join(filter(None, (result.note, note))))


def _add_per_clip(
    metric: Metric, outcomes: Outcomes, per_clip: dict[str, dict[str, float]]
) -> None:
    """Note what each clip alone gives, for the figures that a single clip can give."""
    for clip, found in outcomes:
        observation = found[metric.name].observation
        if observation is None:
            continue
        for name, result in metric.summarise([Seen(clip, observation)], seed=0).items():
            if isinstance(result, Estimate):
                per_clip.setdefault(name, {})[clip.name] = result.value


def describe_judge(name: str, judges: Judges) -> dict[str, str]:
    """Return hash, source and licence of a judge, and why it is not here."""
    card, missing = judges.card(name), judges.problem(name)
    return {
        "sha256": "" if missing else judges.sha256(name),
        "source": card.source,
        "licence": card.licence,
        "problem": missing,
    }
