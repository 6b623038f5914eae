"""The harness: it resumes, one broken clip does not stop it, and it never hides a gap."""

import errno

import numpy as np
import pytest

from facevox.core.errors import InputError, MediaError
from facevox.evaluation import generate, harness, observe
from facevox.evaluation.generate import folder_row, read_side
from facevox.evaluation.judges.landmarks import TRACKERS
from facevox.evaluation.judges.registry import JUDGES
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.metric import Estimate, Figure, NotMeasured, mean_over_clips
from facevox.evaluation.suite import load_suite


class Length:
    """Seconds of sound; refuses the clip whose seed is `broken`."""

    name, version, judges, uses_landmarks = "length", 1, (), False
    figures = (Figure(name="length", unit="s", better="neither", protocol="seconds of sound"),)

    def __init__(self, broken=None, judges=(), error=InputError):
        self.broken, self.judges, self.error, self.looks = broken, judges, error, 0

    def observe(self, media):
        self.looks += 1
        if media.clip.seed == self.broken:
            raise self.error("this clip is broken")
        media.note("listened")
        return {"seconds": np.array(len(media.waveform()) / 16_000)}

    def summarise(self, seen, *, seed=0):
        return {"length": mean_over_clips(seen, "seconds", seed=seed)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


def run(monkeypatch, lite, folder, metric, tmp_path, **options):
    monkeypatch.setattr(harness, "choose_metrics", lambda names: {"Sound": (metric,)})
    return harness.evaluate(
        "smoke", [lite], output=folder, judges=Judges(tmp_path), metrics=["length"],
        **{"limit": 2, **options},
    )  # fmt: skip


def test_scores_and_resumes(monkeypatch, lite, folder, tmp_path):
    metric = Length()
    report = run(monkeypatch, lite, folder, metric, tmp_path)
    (column,) = report.systems
    result = column.results["length"]
    assert isinstance(result, Estimate)
    assert result.count == 2
    assert 3 < result.value < 10
    assert metric.looks == 2
    assert column.notes == {"listened": 2, "24000 Hz resampled to 16000": 2}
    assert set(column.per_clip["length"]) == {"nasa-photo-1", "nasa-photo-3"}
    assert np.mean(list(column.per_clip["length"].values())) == pytest.approx(result.value)

    made = {p: p.stat().st_mtime_ns for p in (folder / "videos" / "lite").iterdir()}
    again = Length()
    repeated = run(monkeypatch, lite, folder, again, tmp_path)
    assert again.looks == 0
    assert made == {p: p.stat().st_mtime_ns for p in (folder / "videos" / "lite").iterdir()}
    assert repeated.systems[0].results == column.results


def test_a_damaged_observation_and_a_new_version_are_made_anew(monkeypatch, lite, folder, tmp_path):
    run(monkeypatch, lite, folder, Length(), tmp_path)
    first, second = sorted((folder / "observations" / "lite" / "length").iterdir())
    first.write_bytes(second.read_bytes()[:100])
    metric = Length()
    run(monkeypatch, lite, folder, metric, tmp_path)
    assert metric.looks == 1
    metric.version, metric.looks = 2, 0
    run(monkeypatch, lite, folder, metric, tmp_path)
    assert metric.looks == 2


def test_one_broken_clip_is_told_and_does_not_stop_the_run(monkeypatch, lite, folder, tmp_path):
    metric = Length(broken=1)
    metric.name = "broken"
    result = run(monkeypatch, lite, folder, metric, tmp_path).systems[0].results["length"]
    assert result.count == 1
    assert result.note == "1 clips left out: this clip is broken"


def test_an_unforeseen_fault_is_told_and_not_kept(monkeypatch, lite, folder, tmp_path):
    metric = Length(broken=1, error=ZeroDivisionError)
    metric.name = "faulty"
    result = run(monkeypatch, lite, folder, metric, tmp_path).systems[0].results["length"]
    assert "faulty failed: ZeroDivisionError" in result.note
    assert len(list((folder / "observations" / "lite" / "faulty").iterdir())) == 1


def test_no_clip_scored_says_why(monkeypatch, lite, folder, tmp_path):
    metric = Length(broken=1)
    metric.name = "none"
    report = run(monkeypatch, lite, folder, metric, tmp_path, limit=1)
    assert isinstance(report.systems[0].results["length"], Estimate)  # seed 2 is asked for
    metric.broken = 2
    metric.version = 2
    report = run(monkeypatch, lite, folder, metric, tmp_path, limit=1)
    assert report.systems[0].results["length"] == NotMeasured(reason="this clip is broken")


def test_a_missing_judge_is_named_with_the_way_to_get_it(monkeypatch, lite, folder, tmp_path):
    metric = Length(judges=("dnsmos",))
    report = run(monkeypatch, lite, folder, metric, tmp_path)
    assert report.systems[0].results["length"].reason == (
        "judge dnsmos missing, get it with facevox judges get dnsmos"
    )
    assert metric.looks == 0
    assert report.judges["dnsmos"]["sha256"] == ""


def test_a_judge_that_the_system_was_trained_against_is_refused(
    monkeypatch, lite, folder, tmp_path
):
    metric = Length(judges=("face-landmarker",))
    reason = run(monkeypatch, lite, folder, metric, tmp_path).systems[0].results["length"].reason
    assert reason == "refused: the system was trained against the judge face-landmarker"
    metric = Length()
    metric.uses_landmarks = True
    report = run(monkeypatch, lite, folder, metric, tmp_path, tracker="face-landmarker")
    assert report.systems[0].results["length"].reason == reason


def test_processes_give_what_one_process_gives(lite, folder, tmp_path):
    from facevox.evaluation.metrics.catalogue import choose_metrics

    items = load_suite("smoke").items(None, folder / "photos", limit=2)
    row = harness.generated_row(lite, items, folder / "videos" / "lite", lambda _: None)
    ((metric,),) = choose_metrics(["lip-sync"]).values()
    found = {}
    for jobs in (1, 2):
        outcomes = observe.observe_all(
            row.clips, [metric], Judges(tmp_path), "attention-mesh", tmp_path / str(jobs), jobs=jobs
        )
        found[jobs] = [outcome["lip-sync"].observation for _, outcome in outcomes]
    for one, two in zip(found[1], found[2], strict=True):
        assert one.keys() == two.keys()
        assert all(np.array_equal(one[key], two[key], equal_nan=True) for key in one)


def test_videos_made_elsewhere_are_scored_beside(monkeypatch, lite, folder, tmp_path):
    run(monkeypatch, lite, folder, Length(), tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "nasa-photo-1.mp4").write_bytes(
        (folder / "videos" / "lite" / "nasa-photo-1.mp4").read_bytes()
    )
    report = run(monkeypatch, lite, folder, Length(), tmp_path, videos={"theirs": other})
    ours, theirs = report.systems
    assert theirs.name == "theirs"
    assert theirs.per_clip["length"]["nasa-photo-1"] == ours.per_clip["length"]["nasa-photo-1"]
    assert "nasa-photo-3.mp4 is not in" in theirs.failed["nasa-photo-3"]
    with pytest.raises(InputError, match="expected names such as nasa-photo-1"):
        (tmp_path / "empty").mkdir()
        run(monkeypatch, lite, folder, Length(), tmp_path, videos={"none": tmp_path / "empty"})
    with pytest.raises(InputError, match="given twice"):
        run(monkeypatch, lite, folder, Length(), tmp_path, videos={"lite": other})


def test_a_photo_without_a_face_does_not_stop_the_others(
    monkeypatch, lite, astronaut_file, tmp_path
):
    from PIL import Image

    from facevox.evaluation.suite import suite_of_photos

    Image.new("RGB", (200, 200), "gray").save(tmp_path / "wall.png")
    suite = suite_of_photos([astronaut_file, tmp_path / "wall.png"], ["Hello."], per_photo=1)
    monkeypatch.setattr(harness, "choose_metrics", lambda names: {"Sound": (Length(),)})
    report = harness.evaluate(
        suite, [lite], output=tmp_path / "out", judges=Judges(tmp_path), metrics=["length"]
    )
    (column,) = report.systems
    assert column.clips == 1
    assert list(column.failed) == ["wall-photo-0"]


@pytest.mark.parametrize(
    ("systems", "videos", "words"),
    [
        ([], {}, "nothing to measure"),
        (["lite", "lite"], {}, "'lite' is given twice"),
        (["lite"], {"lite": "."}, "'lite' is given twice"),
        ([], {"real": "."}, "'real' is kept for recordings"),
        ([], {"../up": "."}, "cannot be called after a system"),
        ([], {"a/b": "."}, "cannot be called after a system"),
    ],
)
def test_impossible_columns_are_refused_before_any_work(tmp_path, systems, videos, words):
    with pytest.raises(InputError, match=words):
        harness.evaluate("smoke", systems, output=tmp_path / "report", videos=videos)
    assert not (tmp_path / "report").exists()


def test_folders_of_videos_are_looked_at_before_anything_is_generated(tmp_path):
    with pytest.raises(InputError, match="no folder of videos"):
        harness.evaluate("smoke", output=tmp_path, videos={"theirs": tmp_path / "nowhere"})
    assert not (tmp_path / "videos").exists()


def test_only_a_tracker_lays_landmarks(tmp_path):
    with pytest.raises(InputError, match="'dnsmos' does not lay landmarks; choose one of"):
        harness.evaluate("smoke", output=tmp_path / "report", tracker="dnsmos")
    assert set(TRACKERS) == {n for n, card in JUDGES.items() if "landmarks" in card.purpose}


def test_a_video_that_is_cut_off_is_listed_as_failed(tmp_path):
    suite = load_suite("smoke")
    (item,) = suite.items(None, tmp_path, limit=1)
    (tmp_path / f"{item.name}.mp4").write_bytes(b"not a video")
    row = folder_row(tmp_path, [item], "theirs")
    assert not row.clips
    assert "cannot be read as a video" in row.failed[item.name]


def test_a_kept_video_whose_facts_were_tampered_with_is_made_again(tmp_path):
    side = tmp_path / "clip.json"
    for content in ("[]", "{", '{"digest": "d"}', '{"digest": "d", "phones": [{"x": 1}]}'):
        side.write_text(content)
        assert read_side(side, "d") is None
    side.write_text('{"digest": "d", "phones": [], "facts": {"seconds": 1.0}}')
    assert read_side(side, "d") == ((), {"seconds": 1.0})
    assert read_side(side, "other") is None


def test_a_full_disk_ends_the_run_instead_of_failing_clip_by_clip(lite, tmp_path, monkeypatch):
    def full(*_):
        raise MediaError("The disk is full.") from OSError(errno.ENOSPC, "No space left")

    monkeypatch.setattr(generate, "_kept_or_made", full)
    items = load_suite("smoke").items(None, tmp_path)
    with pytest.raises(MediaError, match="disk is full"):
        generate.generated_row(lite, items, tmp_path / "videos", lambda _: None)
