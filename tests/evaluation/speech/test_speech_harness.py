"""Measuring voices: known errors by a fake recogniser, resumption, bad input."""

import json

import numpy as np
import pytest
from buzz_engine import BuzzEngine
from command_line import run

from facevox.core.errors import DataError, FacevoxError, InputError
from facevox.core.voice import Voice
from facevox.core.waveform import active_level, read_waveform, write_waveform
from facevox.evaluation import evaluate_speech
from facevox.evaluation.comparison import compare
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.metric import Estimate, NotMeasured
from facevox.evaluation.report.store import load_report
from facevox.evaluation.speech import spoken
from facevox.evaluation.speech.harness import one_voice, speech_metrics
from facevox.evaluation.speech.spoken import speak_text
from facevox.evaluation.speech.voice_set import VoiceSet, read_voice_set

TEXTS = ["The cat sat.", "A dog ran far away.", "Two birds sing."]


class Mishearing:
    """Hears the right words, but each `cat` as `bat`, and nothing below 150 Hz."""

    name, normaliser = "pocketsphinx", "lower case"

    def __init__(self, answers):
        self.answers, self.times = answers, 0

    def transcribe(self, waveform):
        self.times += 1
        return self.answers[min(self.answers, key=lambda n: abs(n - len(waveform)))]

    def normalise(self, text):
        return "".join(c for c in text.lower() if c.isalpha() or c == " ")


class Pitch:
    """Embeds a voice as an angle by the strength of its overtones."""

    def embed(self, waveform):
        spectrum = np.abs(np.fft.rfft(waveform[:16_000], 16_000))
        angle = float(np.argmax(spectrum[60:400]) + 60) / 400
        return np.array([np.cos(angle), np.sin(angle)], np.float32)


@pytest.fixture
def judges(tmp_path):
    pytest.importorskip("jiwer")
    chosen = Judges(tmp_path / "judges")
    heard = {
        16_000 * 9 // 10 + 1600: "the bat sat",
        16_000 * 15 // 10 + 1600: "a dog ran far away",
    }
    chosen.put("pocketsphinx", Mishearing(heard))
    chosen.put("resemblyzer", Pitch())
    return chosen


def measure(tmp_path, judges, voices, **options):
    return evaluate_speech(
        voices, options.pop("sentences", TEXTS[:2]), output=tmp_path / "report", judges=judges,
        **{"metrics": ["word-errors-pocketsphinx"], **options},
    )  # fmt: skip


def low(engine, name="low"):
    return one_voice(engine, engine.base_voice(name), name)


def test_known_errors_and_what_is_kept(tmp_path, judges):
    engine = BuzzEngine()
    report = measure(tmp_path, judges, [low(engine)])
    (column,) = report.systems
    rate = column.results["WER (pocketsphinx)"]
    assert rate.value == pytest.approx(100 / 8)  # one of eight words
    assert rate.count == 2
    assert isinstance(column.results["WER of the median voice (pocketsphinx)"], NotMeasured)
    assert column.per_clip["WER (pocketsphinx)"]["sentence-1"] == pytest.approx(100 / 3)
    assert load_report(tmp_path / "report").systems[0].results == column.results
    assert (tmp_path / "report" / "index.html").is_file()


def test_a_second_run_speaks_and_listens_to_nothing_again(tmp_path, judges):
    first = measure(tmp_path, judges, [low(BuzzEngine())])
    engine, ear = BuzzEngine(), judges.load("pocketsphinx")
    before = ear.times
    again = measure(tmp_path, judges, [low(engine)])
    assert engine.said == []
    assert ear.times == before
    assert again.systems[0].results == first.systems[0].results


def test_only_what_is_missing_or_changed_is_spoken_again(tmp_path, judges):
    measure(tmp_path, judges, [low(BuzzEngine())])
    place = tmp_path / "report" / "sound" / "low" / "low"
    (place / "sentence-2.wav").unlink()
    engine = BuzzEngine()
    measure(tmp_path, judges, [low(engine)])
    assert engine.said == ["Hello.", "A dog ran far away."]
    (place / "sentence-1.json").write_text("{")
    engine = BuzzEngine()
    measure(tmp_path, judges, [low(engine)])
    assert engine.said == ["Hello.", "The cat sat."]
    engine = BuzzEngine()
    slow = engine.base_voice("low").with_controls(rate=0.5)
    measure(tmp_path, judges, [one_voice(engine, slow, "low")])
    assert len(engine.said) == 3


def test_new_code_that_makes_the_same_sound_costs_no_listening(tmp_path, judges, monkeypatch):
    names = ["word-errors-pocketsphinx", "speaking-time"]
    first = measure(tmp_path, judges, [low(BuzzEngine())], metrics=names)
    monkeypatch.setattr(spoken, "code_digest", lambda: "another")
    engine, ear = BuzzEngine(), judges.load("pocketsphinx")
    before = ear.times
    again = measure(tmp_path, judges, [low(engine)], metrics=names)
    assert len(engine.said) == 3
    assert ear.times == before
    timed = "real-time factor (speech)"
    assert again.systems[0].results[timed] != first.systems[0].results[timed]
    assert not list((tmp_path / "report" / "sound").rglob(".new-*"))


def test_a_sentence_that_fails_does_not_stop_the_others(tmp_path, judges):
    report = measure(tmp_path, judges, [low(BuzzEngine(refuse="dog"))])
    (column,) = report.systems
    assert column.failed == {"sentence-2": "this sentence is refused"}
    assert column.clips == 1


def test_sound_is_kept_at_one_level_with_times_over_the_whole_text(tmp_path, judges):
    measure(tmp_path, judges, [low(BuzzEngine())], sentences=["The cat sat. A dog ran."])
    place = tmp_path / "report" / "sound" / "low" / "low"
    waveform, rate = read_waveform(place / "sentence-1.wav")
    assert active_level(waveform, rate) == pytest.approx(-23, abs=0.2)
    side = json.loads((place / "sentence-1.json").read_text())
    assert [row["word"] for row in side["phones"]] == [0, 1, 2, -1, 3, 4, 5, -1]
    assert side["phones"][-1]["end"] == pytest.approx(len(waveform) / rate, abs=1e-3)
    ends = [row["end"] for row in side["phones"]]
    assert [row["start"] for row in side["phones"]][1:] == pytest.approx(ends[:-1], abs=1e-3)


def test_several_voices_have_a_median_and_a_worst(tmp_path, judges):
    engine = BuzzEngine()
    voices = {f"v{k}": engine.base_voice("low").with_controls(pitch=float(k)) for k in range(6)}
    drawn = VoiceSet(name="drawn", engine=engine, voices=voices, sexes={"v0": "female"})
    report = measure(
        tmp_path, judges, [drawn, low(engine)],
        metrics=["word-errors-pocketsphinx", "voices-resemblyzer", "prosody", "speaking-time"],
    )  # fmt: skip
    column, single = report.systems
    assert column.clips == 12
    assert column.results["WER of the median voice (pocketsphinx)"].value == pytest.approx(12.5)
    assert column.results["WER of the worst voice (pocketsphinx)"].value == pytest.approx(12.5)
    assert column.results["similarity of two voices (Resemblyzer)"].count == 6
    assert isinstance(single.results["similarity of two voices (Resemblyzer)"], NotMeasured)
    assert column.results["real-time factor (speech)"].value > 0
    assert single.results["speaking rate"].value == pytest.approx(1 / 0.3)
    assert single.results["F0"].value == pytest.approx(100, abs=10)
    assert "voices" in (tmp_path / "report" / "index.html").read_text()


def test_two_engines_are_compared_sentence_by_sentence(tmp_path, judges):
    engine = BuzzEngine()
    report = measure(
        tmp_path, judges, [low(engine), low(engine, "high")], sentences=TEXTS * 3, metrics=["prosody"]
    )  # fmt: skip
    rows = {row.figure: row for row in compare([report]).differences}
    assert rows["F0"].value == pytest.approx(100, abs=25)
    assert rows["F0"].verdict == "higher"
    assert rows["F0"].count == 9


def people(tmp_path, judges, names):
    for name, f0 in names.items():
        (tmp_path / "people" / name).mkdir(parents=True)
        sound, _ = speak_text(BuzzEngine(), "One two three four.", Voice(engine="buzz", f0_mean=f0))
        for k in range(4):
            write_waveform(tmp_path / "people" / name / f"{k}.wav", sound, 16_000)
    return tmp_path / "people"


def test_voices_beside_people_and_originals(tmp_path, judges):
    folder = people(tmp_path, judges, {"low": 100.0, "high": 200.0, "third": 300.0})
    engine = BuzzEngine()
    voices = {name: engine.base_voice(name) for name in ("low", "high")}
    cloned = VoiceSet(name="cloned", engine=engine, voices=voices)
    report = measure(
        tmp_path, judges, [cloned], people=folder, originals=folder,
        metrics=["voices-resemblyzer"],
    )  # fmt: skip
    results = report.systems[0].results
    same = results["SS of clone and original (Resemblyzer)"].value
    assert same > results["SS of two people (Resemblyzer)"].value
    margin = results["SS margin (Resemblyzer)"]
    assert margin.value == pytest.approx(
        same - results["SS of two people (Resemblyzer)"].value, abs=1e-6
    )
    assert margin.value > 0
    assert results["one person (Resemblyzer)"].value == pytest.approx(1)
    assert isinstance(results["voice to nearest person (Resemblyzer)"], Estimate)
    kept = list((tmp_path / "report" / "people").iterdir())
    assert len(kept) == 12


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"metrics": ["fid"]}, InputError, "There is no metric 'fid' of speech"),
        ({"metrics": []}, InputError, "No metric is named"),
        ({"encoder": "ears"}, InputError, "does not tell voices apart"),
        ({"people": "/nowhere"}, DataError, "no folder of recordings"),
        ({"sentences": []}, InputError, "no sentence"),
    ],
)
def test_bad_input_is_refused_before_any_work(tmp_path, judges, options, error, words):
    engine = BuzzEngine()
    with pytest.raises(error, match=words):
        measure(tmp_path, judges, [low(engine)], **options)
    assert engine.said == []


def test_originals_must_be_called_after_voices(tmp_path, judges):
    folder = people(tmp_path, judges, {"somebody": 100.0})
    with pytest.raises(InputError, match="called after at least two"):
        measure(tmp_path, judges, [low(BuzzEngine())], originals=folder)


def test_recordings_that_hold_no_speech_are_left_out(tmp_path, judges):
    folder = people(tmp_path, judges, {"low": 100.0})
    (folder / "empty").mkdir()
    write_waveform(folder / "empty" / "0.wav", np.zeros(16_000, np.float32), 16_000)
    (folder / "empty" / "1.wav").write_bytes(b"not sound")
    report = measure(
        tmp_path, judges, [low(BuzzEngine())], people=folder, metrics=["voices-resemblyzer"]
    )
    found = report.systems[0].results["voice to nearest person (Resemblyzer)"]
    assert found.note == "1 people"


class Broken(BuzzEngine):
    def speak(self, sentence, voice):
        speech = super().speak(sentence, voice)
        speech.waveform[:] = self.value
        return speech


@pytest.mark.parametrize(("value", "words"), [(np.nan, "not numbers"), (0.0, "silence")])
def test_an_engine_that_gives_no_sound_is_named(tmp_path, judges, value, words):
    engine = Broken()
    engine.value = value
    report = measure(tmp_path, judges, [low(engine)])
    assert words in report.systems[0].failed["sentence-1"]


def test_sets_of_voices_are_read_from_files(tmp_path):
    engine = BuzzEngine()
    for sex, name in (("female", "high"), ("male", "low")):
        (tmp_path / "drawn" / sex).mkdir(parents=True)
        engine.base_voice(name).save(tmp_path / "drawn" / sex / f"{name}.json")
    found = read_voice_set(str(tmp_path / "drawn"), {"buzz": engine})
    assert found.name == "drawn"
    assert dict(found.sexes) == {"high": "female", "low": "male"}
    named = read_voice_set(f"mine={tmp_path}/drawn/male/low.json", {"buzz": engine})
    assert (named.name, list(named.voices)) == ("mine", ["low"])
    assert read_voice_set("buzz", {"buzz": engine}).voices["low"].f0_mean == 100
    assert read_voice_set("buzz:high", {"buzz": engine}).name == "buzz high"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("nothing", "neither a voice file"),
        ("buzz:alto", "has the voices low, high"),
        ("FOLDER", "holds no voice file"),
    ],
)
def test_voices_that_are_not_there(tmp_path, wanted, words):
    wanted = str(tmp_path) if wanted == "FOLDER" else wanted
    with pytest.raises(InputError, match=words):
        read_voice_set(wanted, {"buzz": BuzzEngine()})


def test_a_set_is_of_one_engine(tmp_path):
    with pytest.raises(InputError, match="belongs to the engine 'flite'"):
        VoiceSet(name="x", engine=BuzzEngine(), voices={"v": Voice()})
    with pytest.raises(InputError, match="is empty"):
        VoiceSet(name="x", engine=BuzzEngine(), voices={})
    with pytest.raises(InputError, match="sexes"):
        VoiceSet(
            name="x", engine=BuzzEngine(), voices={"v": Voice(engine="buzz")}, sexes={"v": "tall"}
        )


def test_the_command_refuses_in_a_sentence(tmp_path, capsys):
    code, _, err = run(capsys, "evaluate-speech", "nobody", "-o", tmp_path / "r")
    assert (code, err.count("\n")) == (2, 1)
    assert "neither a voice file" in err
    assert not (tmp_path / "r").exists()


def test_metric_names_are_known():
    assert "said-words" in speech_metrics()
    assert issubclass(DataError, FacevoxError)
