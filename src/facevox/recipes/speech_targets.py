"""Whether the neural voice reaches what it must: every target by one command.

    python -m facevox.recipes.speech_targets --data DATA -o REPORT

Five measurements, each a report in a folder of its own (`--only NAME` takes some):

    default  the default voice and flite's three on the 60 test sentences
    drawn    20 drawn voices on the same sentences
    words    the default voice on 200 sentences: words skipped and repeated
    cloned   voices cloned from recordings, beside other recordings of the same people
    people   200 drawn voices beside all people of DATA/speech

A killed run goes on where it stopped.  DATA needs the folder `speech`; `default`, `drawn` and
`words` need no data.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from facevox.core.errors import DataError, FacevoxError, InputError
from facevox.core.files import make_folder, write_atomically
from facevox.core.waveform import read_waveform, write_waveform
from facevox.evaluation.metric import Estimate, Result
from facevox.evaluation.report.report import Report
from facevox.evaluation.speech.harness import evaluate_speech
from facevox.evaluation.speech.people import find_people
from facevox.evaluation.speech.voice_set import SEXES
from facevox.models.bridge.neural_voices import NeuralVoices
from facevox.models.bridge.perception import Perceived
from facevox.models.bridge.voice_space import VoiceSpace
from facevox.models.speech.reference import check_reference, voice_of
from facevox.models.speech.speaker_encoder import SpeakerEncoder

SAMPLE_RATE = 16_000
FLITE = ("flite:rms", "flite:slt", "flite:awb")
NEURAL = "matcha"
DRAWN, PEOPLE, CLONED = 20, 200, 24
"""Voices of the measurements `drawn`, `people` and `cloned`."""

AGES = (20.0, 65.0)
_WER, _MOS = "WER (pocketsphinx)", "DNSMOS overall"
_MEDIAN = "WER of the median voice (pocketsphinx)"
_WORDS = "word-errors-pocketsphinx"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One thing that must be reached.

    Attributes:
        name: What it is.
        value: What was measured.
        wanted: What it is compared with, in words.
        reached: Whether it is.
    """

    name: str
    value: str
    wanted: str
    reached: bool


def measure_default(output: Path, data: Path | None, jobs: int) -> list[Target]:
    """Compare the default voice with flite on the test sentences."""
    report = evaluate_speech(
        [*FLITE, f"{NEURAL}={NEURAL}"], "test", output=output / "default", jobs=jobs
    )
    wer, mos = (_by_column(report, name) for name in (_WER, _MOS))
    rival = max(FLITE, key=lambda name: mos[_column(name)].value)
    return [
        Target(
            name="word errors of the default voice, at most flite rms",
            value=_shown(wer[NEURAL]),
            wanted=f"<= {_shown(wer[_column(FLITE[0])])}",
            reached=wer[NEURAL].value <= wer[_column(FLITE[0])].value,
        ),
        Target(
            name="DNSMOS overall, above flite's best voice",
            value=_shown(mos[NEURAL]),
            wanted=f"> {_shown(mos[_column(rival)])} ({rival})",
            reached=mos[NEURAL].value > mos[_column(rival)].value,
        ),
    ]


def measure_drawn(output: Path, data: Path | None, jobs: int) -> list[Target]:
    """Compare the median of drawn voices with flite rms on the test sentences."""
    folder = draw_voices(output / "voices" / "drawn", DRAWN)
    report = evaluate_speech(
        [FLITE[0], f"drawn={folder}"], "test", output=output / "drawn", jobs=jobs,
        metrics=[_WORDS, "dnsmos", "prosody", "voices-resemblyzer", "perceived-agreement"],
    )  # fmt: skip
    median, flite = _of(report, "drawn", _MEDIAN), _of(report, _column(FLITE[0]), _WER)
    return [
        Target(
            name=f"word errors of the median of {DRAWN} drawn voices, at most 1.5 x flite rms",
            value=_shown(median),
            wanted=f"<= {1.5 * flite.value:.1f}",
            reached=median.value <= 1.5 * flite.value,
        )
    ]


def measure_words(output: Path, data: Path | None, jobs: int) -> list[Target]:
    """Count skipped and repeated words of the default voice on 200 sentences."""
    report = evaluate_speech(
        [FLITE[0], f"{NEURAL}={NEURAL}"], "speech-200", output=output / "words", jobs=jobs,
        metrics=["said-words"],
    )  # fmt: skip
    kinds = ("words skipped", "words repeated")
    whole, rival = (
        _of(report, name, "sentences said whole") for name in (NEURAL, _column(FLITE[0]))
    )
    slips, usual = (
        [_of(report, name, kind) for kind in kinds] for name in (NEURAL, _column(FLITE[0]))
    )
    return [
        Target(
            name="words skipped or repeated in 200 sentences, no more than are heard of flite",
            value=" and ".join(one.note or "none" for one in slips),
            wanted=f"<= {' and '.join(one.note or 'none' for one in usual)}",
            reached=sum(one.value for one in slips) <= sum(one.value for one in usual),
        ),
        Target(
            name="sentences said whole: aligned, with plausible durations",
            value=f"{_shown(whole, 1)} % ({whole.note})",
            wanted=f">= {rival.value:.1f} % as of flite rms",
            reached=whole.value >= rival.value,
        ),
    ]


def measure_cloned(output: Path, data: Path | None, jobs: int) -> list[Target]:
    """Compare cloned voices with other recordings of the same people."""
    voices, originals = clone_people(_speech(data), output / "voices", CLONED)
    report = evaluate_speech(
        [f"cloned={voices}"], "test", limit=5, output=output / "cloned", jobs=jobs,
        metrics=["voices-resemblyzer", _WORDS], originals=originals,
    )  # fmt: skip
    margin = _of(report, "cloned", "SS margin (Resemblyzer)")
    same = _of(report, "cloned", "SS of clone and original (Resemblyzer)")
    two = _of(report, "cloned", "SS of two people (Resemblyzer)")
    return [
        Target(
            name="clone and original above two people, by a margin",
            value=f"{_shown(margin, 3)}: {_shown(same, 3)} against {_shown(two, 3)}",
            wanted="> 0 with its interval",
            reached=margin.low is not None and margin.low > 0,
        )
    ]


def measure_people(output: Path, data: Path | None, jobs: int) -> list[Target]:
    """Compare drawn voices with people."""
    folder = draw_voices(output / "voices" / "many", PEOPLE)
    report = evaluate_speech(
        [f"many={folder}"], "tune", limit=2, output=output / "people", jobs=jobs,
        metrics=["voices-resemblyzer", "perceived-agreement"], people=_speech(data),
    )  # fmt: skip
    passing = _of(report, "many", "voices that pass for somebody (Resemblyzer)")
    nearest = _of(report, "many", "voice to nearest person (Resemblyzer)")
    one = _of(report, "many", "one person (Resemblyzer)")
    other = _of(report, "many", "person to nearest other (Resemblyzer)")
    people = _of(report, "many", "people who pass for another (Resemblyzer)")
    return [
        Target(
            name=f"{PEOPLE} drawn voices pass for somebody no oftener than people for each other",
            value=f"{passing.value:.3f} ({passing.note}); nearest person {_shown(nearest, 3)}",
            wanted=f"<= {_shown(people, 3)}; one person {_shown(one, 3)}, nearest other person "
            f"{_shown(other, 3)}",
            reached=passing.value <= people.value,
        )
    ]


MEASUREMENTS: dict[str, Callable[[Path, Path | None, int], list[Target]]] = {
    "default": measure_default,
    "drawn": measure_drawn,
    "words": measure_words,
    "cloned": measure_cloned,
    "people": measure_people,
}


def draw_voices(folder: Path, count: int) -> Path:
    """Write voices of faces of all ages, half of them women's, and return the folder."""
    space = VoiceSpace.load()
    generator = np.random.default_rng(0)
    for number in range(count):
        sex = SEXES[number % len(SEXES)]
        face = Perceived(
            female=float(sex == "female"), age=float(generator.uniform(*AGES)), age_sigma=6.0,
            breadth=float(generator.normal()), length=float(generator.normal()),
            width=float(generator.normal()),
        )  # fmt: skip
        voice = NeuralVoices(perceived=face, space=space).draw(number)
        voice.save(make_folder(folder / sex) / f"{sex}-{number:03d}.json")
    return folder


def clone_people(speech: Path, output: Path, count: int) -> tuple[Path, Path]:
    """Write voices cloned from one recording each, and other recordings of the same people.

    Of people with a single recording the first half is cloned and the second half kept.

    Args:
        speech: Folder of recordings.
        output: Folder for `cloned` and `originals`.
        count: People; those with several recordings first.

    Returns:
        Folder of voices and folder of recordings.

    Raises:
        DataError: If there are not two people.
    """
    people = find_people(speech)
    order = sorted(people, key=lambda name: (-min(len(people[name]), 2), name))
    encoder = SpeakerEncoder.load()
    voices, originals = make_folder(output / "cloned"), make_folder(output / "originals")
    made = 0
    for name in order:
        sounds = [read_waveform(path, SAMPLE_RATE)[0] for path in people[name]]
        first, *others = sounds if len(sounds) > 1 else np.array_split(sounds[0], 2)
        title = name.replace(" ", "-")
        try:
            voice_of(check_reference(first), encoder, "recording").save(voices / f"{title}.json")
        except InputError:
            continue
        for number, sound in enumerate(others[:4]):
            write_waveform(make_folder(originals / title) / f"{number}.wav", sound, SAMPLE_RATE)
        made += 1
        if made == count:
            break
    if made < 2:
        raise DataError(f"{speech} holds {made} people who could be cloned; two are needed.")
    return voices, originals


def _speech(data: Path | None) -> Path:
    if data is None or not (data / "speech").is_dir():
        raise DataError("This measurement needs --data with a folder `speech`.")
    return data / "speech"


def _column(wanted: str) -> str:
    return wanted.replace(":", " ")


def _of(report: Report, column: str, figure: str) -> Estimate:
    """Return a number of a report.

    Raises:
        FacevoxError: If it could not be measured.
    """
    found: Result = next(one for one in report.systems if one.name == column).result(figure)
    if not isinstance(found, Estimate):
        raise FacevoxError(f"{figure} of {column} could not be measured: {found.reason}")
    return found


def _by_column(report: Report, figure: str) -> Mapping[str, Estimate]:
    return {one.name: _of(report, one.name, figure) for one in report.systems}


def _shown(found: Estimate, digits: int = 2) -> str:
    text = f"{found.value:.{digits}f}"
    if found.low is None or found.high is None:
        return text
    return f"{text} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print what is reached, and write `targets.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with `speech`")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--only", action="append", choices=[*MEASUREMENTS])
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args(arguments)
    output = make_folder(chosen.output)
    found: dict[str, list[dict[str, object]]] = {}
    try:
        for name in chosen.only or MEASUREMENTS:
            targets = MEASUREMENTS[name](output, chosen.data, chosen.jobs)
            found[name] = [asdict(target) for target in targets]
            for one in targets:
                print(f"{'reached' if one.reached else 'MISSED '}  {one.name}")
                print(f"         {one.value}, wanted {one.wanted}", flush=True)
            write_atomically(output / "targets.json", json.dumps(found, indent=1).encode())
    except FacevoxError as error:
        sys.exit(f"speech_targets: {error}")


if __name__ == "__main__":
    main()
