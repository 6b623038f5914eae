"""`evaluate_speech`: voices -> spoken sentences -> observations -> numbers -> report."""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from facevox import __version__
from facevox.core.errors import InputError
from facevox.core.files import make_folder
from facevox.core.voice import Voice
from facevox.evaluation.columns import Outcomes, Plan, describe_judge, look_at, score_column
from facevox.evaluation.generate import Row, Step
from facevox.evaluation.harness import TRACKER, Progress, check_columns, describe_machine
from facevox.evaluation.judges.speaker_encoder import LABELS
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.metric import Metric, judges_of
from facevox.evaluation.metrics.perceived_agreement import PerceivedAgreement
from facevox.evaluation.metrics.prosody import Prosody, SpeakingTime
from facevox.evaluation.metrics.said_words import SaidWords
from facevox.evaluation.metrics.speech_quality import SpeechQuality
from facevox.evaluation.metrics.voice_people import Embeddings
from facevox.evaluation.metrics.voices import Voices
from facevox.evaluation.metrics.word_errors import VoiceWordErrors
from facevox.evaluation.report.files import write_report
from facevox.evaluation.report.report import Illustrations, Report, SystemScores
from facevox.evaluation.speech.people import embed_people, find_people
from facevox.evaluation.speech.sentences import SentenceList, load_sentences
from facevox.evaluation.speech.spoken import spoken_row
from facevox.evaluation.speech.voice_set import VoiceSet, read_voice_set
from facevox.evaluation.suites.item import spread
from facevox.models.speech.engine import SpeechEngine

ENCODER = "resemblyzer"
PLAYED = 4
"""Sounds of each column that the page plays."""


def evaluate_speech(
    voices: Sequence[str | VoiceSet] | str | VoiceSet,
    sentences: str | Path | Sequence[str] | SentenceList = "test",
    *,
    output: str | Path,
    metrics: Sequence[str] | None = None,
    people: str | Path | None = None,
    originals: str | Path | None = None,
    encoder: str = ENCODER,
    limit: int | None = None,
    jobs: int = 1,
    seed: int = 0,
    judges: Judges | None = None,
    progress: Progress | None = None,
) -> Report:
    """Let voices speak sentences, score the sound, and write and return the report.

    What was spoken or looked at before is kept: run it again to go on where it stopped.

    Args:
        voices: Columns: `VoiceSet`, or words for `read_voice_set` such as `flite:rms`, a
            voice file or a folder of them.
        sentences: A list's name, a text file, or texts.
        output: Folder for sound, observations and the report.
        metrics: Names of metrics; None takes all.
        people: Folder of recordings of people whom no voice may be.
        originals: Folder with recordings of the people whom voices were cloned from, called
            after the voices (a file or a folder each).
        encoder: Judge that tells voices apart.
        limit: Only so many sentences, spread over the list.
        jobs: Processes that listen.
        seed: Of intervals.
        judges: Where networks come from.
        progress: Called after every step.

    Raises:
        InputError: If an argument cannot be used.
        DataError: If a folder lacks recordings.
        MissingPiece: If an engine is not installed.
        MediaError: If the output cannot be written.
    """
    chosen = load_sentences(sentences).take(limit)
    sets = _sets([voices] if isinstance(voices, str | VoiceSet) else voices)
    _check(encoder, metrics)
    judges = judges or Judges()
    known = [find_people(Path(folder)) if folder else None for folder in (people, originals)]
    _check_originals(known[1], sets)
    folder = make_folder(Path(output))
    clips = len(chosen.texts) * sum(len(one.voices) for one in sets)
    step = _steps(2 * clips + sum(len(found) for found in known if found), progress)
    heard = [_embedded(found, judges, encoder, folder / "people", step) for found in known]
    groups = _choose(_groups(encoder, *heard), metrics)
    plan = Plan(groups, judges, TRACKER, folder / "observations", jobs, seed, step)
    rows = [spoken_row(one, chosen, folder / "sound" / one.name, step) for one in sets]
    looked = [(row, look_at(row, plan)) for row in rows]
    report = _report(chosen, [score_column(row, outcomes, plan) for row, outcomes in looked], plan)
    write_report(report, _illustrations(looked, encoder), folder)
    return report


def speech_metrics() -> tuple[str, ...]:
    """Return the names that `metrics` may hold."""
    return tuple(metric.name for rows in _groups(ENCODER, None, None).values() for metric in rows)


def one_voice(engine: SpeechEngine, voice: Voice, name: str = "") -> VoiceSet:
    """Return the set of a single voice."""
    return VoiceSet(name=name or engine.name, engine=engine, voices={name or engine.name: voice})


def _groups(
    encoder: str, people: Embeddings | None, originals: Embeddings | None
) -> dict[str, tuple[Metric, ...]]:
    return {
        "Speech": (
            VoiceWordErrors("pocketsphinx"),
            VoiceWordErrors("whisper-large-v2"),
            SaidWords(),
            SpeechQuality(),
        ),
        "Manner": (Prosody(),),
        "Voices": (Voices(encoder, people=people, originals=originals), PerceivedAgreement()),
        "Efficiency": (SpeakingTime(),),
    }


def _choose(
    groups: dict[str, tuple[Metric, ...]], names: Sequence[str] | None
) -> dict[str, tuple[Metric, ...]]:
    if names is None:
        return groups
    chosen = {
        title: tuple(metric for metric in metrics if metric.name in names)
        for title, metrics in groups.items()
    }
    return {title: metrics for title, metrics in chosen.items() if metrics}


def _check(encoder: str, metrics: Sequence[str] | None) -> None:
    if encoder not in LABELS:
        raise InputError(
            f"{encoder!r} does not tell voices apart; choose one of {', '.join(LABELS)}."
        )
    known = [
        metric.name for rows in _groups(encoder, None, None).values() for metric in rows
    ]  # fmt: skip
    for name in metrics or ():
        if name not in known:
            raise InputError(
                f"There is no metric {name!r} of speech; there are: {', '.join(known)}."
            )
    if metrics is not None and not metrics:
        raise InputError("No metric is named; name at least one, or leave the option out for all.")


def _sets(voices: Sequence[str | VoiceSet]) -> list[VoiceSet]:
    """Return the columns; engines are loaded once."""
    engines: dict[str, SpeechEngine] = {}
    sets: list[VoiceSet] = []
    for wanted in voices:
        one = wanted if isinstance(wanted, VoiceSet) else read_voice_set(wanted, engines)
        engines.setdefault(one.engine.name, one.engine)
        sets.append(one)
    check_columns([one.name for one in sets])
    return sets


def _check_originals(
    originals: Mapping[str, Sequence[Path]] | None, sets: Sequence[VoiceSet]
) -> None:
    if originals is None:
        return
    named = {voice for one in sets for voice in one.voices}
    if len(named & set(originals)) < 2:
        raise InputError(
            "The folder of originals must hold recordings called after at least two of the voices "
            f"({', '.join(sorted(named)[:5])}); it has {', '.join(sorted(originals)[:5])}."
        )


def _embedded(
    found: Mapping[str, Sequence[Path]] | None, judges: Judges, encoder: str, kept: Path, step: Step
) -> Embeddings | None:
    """Return embeddings by person; nothing by anybody where the encoder is not here."""
    if found is None:
        return None
    return {} if judges.problem(encoder) else embed_people(found, judges, encoder, kept, step)


def _steps(total: int, progress: Progress | None) -> Callable[[str], None]:
    done = 0

    def step(words: str) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(min(1.0, done / max(total, 1)), words)

    return step


def _report(chosen: SentenceList, scores: Sequence[SystemScores], plan: Plan) -> Report:
    used = {judge for metric in plan.metrics for judge in judges_of(metric, plan.tracker)}
    return Report(
        suite=f"speech: {chosen.name}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        version=__version__,
        machine=describe_machine(),
        facts={
            "summary": chosen.summary,
            "digest": chosen.digest,
            "items": len(chosen.texts),
            "level": "-23 dB",
            "seed": plan.seed,
        },
        figures=tuple(figure for metric in plan.metrics for figure in metric.figures),
        groups={
            title: tuple(figure.name for metric in metrics for figure in metric.figures)
            for title, metrics in plan.groups.items()
        },
        judges={name: describe_judge(name, plan.judges) for name in sorted(used)},
        judged_by={
            figure.name: judges_of(metric, plan.tracker)
            for metric in plan.metrics
            for figure in metric.figures
        },
        systems=tuple(scores),
    )


def _illustrations(looked: Sequence[tuple[Row, Outcomes]], encoder: str) -> Illustrations:
    """Return the map of voices, one point a sentence, and a few sounds of each column."""
    name, voices = f"voices-{encoder}", {}
    sounds = {
        row.name: [
            (f"{clip.name}: {clip.text}", clip.video)
            for clip in spread(row.clips, min(PLAYED, len(row.clips)))
        ]
        for row, _ in looked
        if row.clips
    }
    for row, outcomes in looked:
        found = [
            (outcome.observation["embedding"], clip.identity or row.name)
            for clip, seen in outcomes
            if (outcome := seen.get(name)) and outcome.observation is not None
        ]
        if len(found) > 2 and len({who for _, who in found}) > 1:
            voices[row.name] = np.stack([vector for vector, _ in found]), [w for _, w in found]
    return Illustrations(voices=voices, voices_by=LABELS[encoder], sounds=sounds)
