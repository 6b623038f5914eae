"""Set speech beside the mouths and heads that go with it, for what lips and motion learn from.

    python -m facevox.recipes.spoken_mouths --data ../shared/data --tracks TRACKS --out SPOKEN

GRID's speaker is measured on the tracks of `facevox.recipes.grid_tracks`; sentences said by our
engines have the mouth that `lite` gives them.  What is there already is left alone, so a run
that was stopped goes on, and several runs with `--part 0/2`, `--part 1/2` share the work.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facevox.core.checkpoint import SPEECH_WEIGHTS, weights_digest
from facevox.core.errors import DataError, FacevoxError, InputError
from facevox.core.speech import Speech
from facevox.core.text.reader import read_sentences
from facevox.core.voice import Voice
from facevox.data.forced_alignment import SAMPLE_RATE
from facevox.data.grid import VIDEO_FPS, hold_out, list_clips, read_sound, read_track
from facevox.data.grid_head import measure_others
from facevox.data.grid_mouth import MouthClip, mouth_numbers, read_mouth_clips
from facevox.data.portraits import hold_out as hold_out_people
from facevox.data.portraits import list_portraits
from facevox.data.speech.tables import read_table
from facevox.data.spoken_mouths import FILMED, SpokenMouth, utterance_path, write_plan
from facevox.data.spoken_mouths import write_utterance as write
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.mouth_motion import MouthMotion
from facevox.models.face.ttsf.audio_mapper import RATE
from facevox.models.speech.acoustic_features import AcousticFeatures, AcousticReader
from facevox.recipes.acted_portraits import TEXT
from facevox.systems.registry import load

SHARES = {"matcha": 0.7, "flite": 0.3}
"""How often an engine says a sentence, beside the others."""

MOST_WORDS = 22
"""Longer sentences are left out."""

_HELD = 10
"""Of so many sentences one is held out, in whichever voice."""

_NUM_VOICES = 24
_TEMPO = (0.85, 1.2)
"""Factors on the rate that a voice speaks at, between which one is drawn."""

_FRAME = 1 / VIDEO_FPS
_TOLD = 50

Say = Callable[[str], None]


def public_sentences(data: Path, say: Say) -> list[str]:
    """Return `TEXT` and the English transcripts below `data/speech`, each sentence once.

    Args:
        data: Folder whose `speech` has folders with a `metadata.csv` (`id|text`).
        say: Told which tables are left out.
    """
    found: dict[tuple[str, ...], str] = {}
    tables = [("the recipe's own text", [TEXT])]
    for path in sorted((data / "speech").glob("*/metadata.csv")):
        if texts := list(read_table(path).values()):
            tables.append((str(path), texts))
    for name, texts in tables:
        doubts: list[str] = []
        # what language a table is in shows in many lines together
        list(read_sentences(" . ".join(texts[:_TOLD]), warn=doubts.append))
        if doubts:
            say(f"{name} is left out: {doubts[0]}")
            continue
        for sentence in _sentences(texts):
            found.setdefault(tuple(word.text for word in sentence.words), sentence.text)
    return [text for words, text in found.items() if len(words) <= MOST_WORDS]


def _sentences(texts: Sequence[str]) -> Iterator[Any]:
    for text in texts:
        text = text.capitalize() if text.isupper() else text
        try:
            yield from read_sentences(text if text.endswith((".", "?", "!")) else f"{text}.")
        except InputError:
            continue


def plan_spoken(
    sentences: Sequence[str], engines: Sequence[str], count: int, seed: int
) -> list[dict[str, Any]]:
    """Return which sentence is said by which engine, in which voice and how fast.

    All utterances of a sentence are held out, or none.

    Raises:
        InputError: If an engine is unknown or there are no sentences.
    """
    if unknown := [name for name in engines if name not in SHARES]:
        raise InputError(f"No mouths are made for {unknown[0]!r}; choose among {list(SHARES)}.")
    if not (sentences and engines):
        raise InputError("There is nothing to say or nobody to say it.")
    order = np.random.default_rng([seed, 0]).permutation(len(sentences))
    shares = np.array([SHARES[name] for name in engines])
    rows = []
    for number in range(count):
        generator = np.random.default_rng([seed, 1, number])
        engine = str(generator.choice(list(engines), p=shares / shares.sum()))
        place = number % len(order)
        rows.append(
            {
                "name": f"{engine}-{number:04d}",
                "kind": engine,
                "held": place % _HELD == 0,
                "text": sentences[int(order[place])],
                "voice": int(generator.integers(_NUM_VOICES)),
                "tempo": round(float(generator.uniform(*_TEMPO)), 3),
            }
        )
    return rows


def plan_filmed(clips: Path) -> list[dict[str, Any]]:
    """Return the clips of GRID, with those that are held out.

    Raises:
        DataError: If there are none.
    """
    listed = list_clips(clips)
    held = {clip.name for clip in hold_out(listed)[1]}
    return [{"name": c.name, "kind": FILMED, "held": c.name in held} for c in listed]


class SpokenMouths:
    """Makes the utterances of a plan.

    Args:
        data: Folder with faces, speech and talking.
        out: Folder of the utterances; exists.
        reader: Reads the features.
        say: Told what is left out, and how far it is.
    """

    def __init__(
        self, data: Path, out: Path, reader: Callable[[Speech], AcousticFeatures], say: Say
    ) -> None:
        self._data, self._out, self._reader, self._say = data, out, reader, say

    def film(self, rows: Sequence[dict[str, Any]], tracks: Path) -> None:
        """Write clips of GRID that are not there yet."""
        wanted = {row["name"] for row in self._missing(rows)}
        clips = {c.name: c for c in list_clips(self._data / "talking/grid_s1") if c.name in wanted}
        if not clips:
            return
        try:
            found, left_out = read_mouth_clips(tuple(clips.values()), tracks, MouthBasis.load())
        except DataError as error:
            self._say(str(error))
            return
        for sentence in left_out:
            self._say(f"A clip is left out: {sentence}")
        for number, clip in enumerate(found):
            track = read_track(tracks / f"{clip.name}.npz")
            speech = _heard(clip, read_sound(clips[clip.name], SAMPLE_RATE))
            others = measure_others(track)
            self._add(clip.name, FILMED, speech, mouth_numbers(clip), clip.found, others)
            self._tell(number, len(found), "clips")

    def speak(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write spoken sentences that are not there yet."""
        missing, motion = self._missing(rows), MouthMotion.load()
        speakers = {kind: load("lite", speech=kind) for kind in {row["kind"] for row in missing}}
        photos = self._photos() if missing else []
        voices: dict[tuple[str, int], Voice] = {}
        for number, row in enumerate(missing):
            kind, who = row["kind"], row["voice"]
            system: Any = speakers[kind]
            if (kind, who) not in voices:
                voices[kind, who] = system.voices(photos[who], 1, seed=who)[0]
            voice = voices[kind, who]
            try:
                sentence = next(read_sentences(row["text"]))
                speech = system.speech.speak(sentence, voice.with_controls(rate=row["tempo"]))
            except FacevoxError as error:
                self._say(f"{row['name']} is left out: {error}")
                continue
            self._add(row["name"], kind, speech, *_given(speech, motion))
            self._tell(number, len(missing), "sentences")

    def _missing(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if not utterance_path(self._out, row["name"]).exists()]

    def _photos(self) -> list[Path]:
        """Return photos of people to take voices from, evenly over those to train on."""
        photos = hold_out_people(list_portraits(self._data / "faces"))[0]
        return [photos[k * len(photos) // _NUM_VOICES].path for k in range(_NUM_VOICES)]

    def _add(
        self,
        name: str,
        kind: str,
        speech: Speech,
        mouth: np.ndarray,
        known: np.ndarray,
        others: np.ndarray | None = None,
    ) -> None:
        features = self._reader(speech).joined().numpy().astype(np.float16)
        frames = min(len(mouth), max(1, (len(features) + RATE // 2) // RATE))
        spoken = SpokenMouth(
            name=name,
            kind=kind,
            features=features,
            mouth=mouth[:frames].astype(np.float32),
            known=known[:frames],
            others=None if others is None else others[:frames],
        )
        write(self._out, spoken)

    def _tell(self, number: int, count: int, what: str) -> None:
        if (number + 1) % _TOLD == 0 or number + 1 == count:
            self._say(f"{number + 1} of {count} {what}")


def _heard(clip: MouthClip, waveform: np.ndarray) -> Speech:
    """Return a clip's sound as speech, as long as its pictures."""
    waveform = waveform[: round(len(clip.mouth) * SAMPLE_RATE * _FRAME)]
    end = len(waveform) / SAMPLE_RATE
    phones = tuple(phone for phone in clip.phones if phone.start < end)
    return Speech(
        waveform=waveform,
        sample_rate=SAMPLE_RATE,
        phones=(*phones[:-1], replace(phones[-1], end=end)),
        f0=np.zeros(1, np.float32),
    )


def _given(speech: Speech, motion: MouthMotion) -> tuple[np.ndarray, np.ndarray]:
    """Return the mouth that `lite` gives to speech, and that all of it is known."""
    times = (np.arange(max(1, int(speech.duration * VIDEO_FPS + 0.5))) + 0.5) * _FRAME
    track = motion.track(speech, times, _FRAME, 1.0)
    columns = [track.mouth, track.lip_gap, track.tongue, track.lip_roll]
    return np.column_stack(columns).astype(np.float32), np.ones(len(times), bool)


def prepare(
    data: Path,
    out: Path,
    *,
    tracks: Path | None,
    utterances: int,
    engines: Sequence[str] = tuple(SHARES),
    acoustic: Path = SPEECH_WEIGHTS,
    seed: int = 0,
    part: tuple[int, int] = (0, 1),
    limit: int | None = None,
    say: Say = print,
) -> None:
    """Make the whole folder, or this part of it.

    Args:
        data: Folder with faces, speech and talking.
        out: Folder to make or to go on with.
        tracks: Face tracks of GRID; None leaves GRID out.
        utterances: Sentences to say.
        engines: Who says them.
        acoustic: Folder of the acoustic model that the features are read from.
        seed: Of sentences, voices and tempo.
        part: Which share of the utterances: number and count.
        limit: Make only the first so many of either sort, and of the part.
        say: Told what is left out, and how far it is.

    Raises:
        FacevoxError: If data or an engine is missing, or the folder was begun otherwise.
    """
    reader = AcousticReader.load(acoustic)
    filmed = [] if tracks is None else plan_filmed(data / "talking" / "grid_s1")
    spoken = plan_spoken(public_sentences(data, say), engines, utterances, seed)
    (out / "utterances").mkdir(parents=True, exist_ok=True)
    plan = {"features": weights_digest(acoustic), "utterances": [*filmed, *spoken]}
    write_plan(out, plan)
    maker = SpokenMouths(data, out, reader, say)
    if tracks is not None:
        maker.film(filmed[part[0] :: part[1]][:limit], tracks)
    maker.speak(spoken[part[0] :: part[1]][:limit])


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with faces and speech")
    parser.add_argument("--out", type=Path, required=True, help="folder for the utterances")
    parser.add_argument("--tracks", type=Path, default=None, help="face tracks of GRID")
    parser.add_argument("--utterances", type=int, default=650, help="sentences to say")
    parser.add_argument("--engines", default=",".join(SHARES), help="who says them, with commas")
    parser.add_argument("--acoustic", type=Path, default=SPEECH_WEIGHTS, help="acoustic model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", default="0/1", help="share of the utterances, such as 0/2")
    parser.add_argument("--limit", type=int, default=None, help="only the first ones, to try")
    given = parser.parse_args()
    number, _, count = given.part.partition("/")
    prepare(
        given.data,
        given.out,
        tracks=given.tracks,
        utterances=given.utterances,
        engines=given.engines.split(","),
        acoustic=given.acoustic,
        seed=given.seed,
        part=(int(number), int(count or 1)),
        limit=given.limit,
    )


if __name__ == "__main__":
    main()
