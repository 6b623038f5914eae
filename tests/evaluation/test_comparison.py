import dataclasses
import json

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.comparison import compare, why_apart
from facevox.evaluation.metric import Estimate, Figure, NotMeasured
from facevox.evaluation.paired_difference import BETTER, TOO_FEW, UNCLEAR, WORSE, verdict
from facevox.evaluation.report.comparison_markdown import comparison_markdown, signed
from facevox.evaluation.report.report import Report, SystemScores

SYNC = Figure(name="LSE-C", unit="", better="higher", protocol="SyncNet at 25 fps.", digits=2)
ERROR = Figure(name="WER", unit="%", better="lower", protocol="Corpus rate.", digits=1)
YAW = Figure(name="Yaw", unit="deg", better="neither", protocol="Spread.", digits=1)
FID = Figure(name="FID", unit="", better="lower", protocol="pool3.", digits=1)
CLIPS = [f"c{k:02d}" for k in range(24)]
BASE = np.random.default_rng(3).normal(5, 2, 24)


def system(name: str, shift: float = 0.0, *, clips=CLIPS, **more) -> SystemScores:
    values = {clip: float(BASE[int(clip[1:])] + shift) for clip in clips}
    mean = float(np.mean(list(values.values())))
    return SystemScores(
        name=name,
        clips=len(clips),
        results={
            "LSE-C": Estimate(value=mean, low=mean - 1, high=mean + 1, count=len(clips)),
            "WER": Estimate(value=mean, count=len(clips)),
            "Yaw": Estimate(value=mean, count=len(clips)),
            "FID": NotMeasured(reason="too few frames."),
        },
        per_clip={"LSE-C": values, "WER": values, "Yaw": values},
        **more,
    )


def report(*systems: SystemScores, **more) -> Report:
    values = {
        "suite": "s", "created": "2026-11-21", "command": "facevox evaluate", "version": "0.1",
        "machine": "cpu", "facts": {"digest": "aa" * 32, "items": 24},
        "figures": (SYNC, ERROR, YAW, FID),
        "groups": {"Lips": ("LSE-C",), "Rest": ("WER", "Yaw", "FID")},
        "judges": {"syncnet": {"sha256": "11" * 32}, "asr": {"sha256": "22" * 32}},
        "judged_by": {"LSE-C": ("syncnet",), "WER": ("asr",), "Yaw": (), "FID": ()},
    }  # fmt: skip
    return Report(**{**values, "systems": systems, **more})


def verdicts(comparison) -> dict[str, str]:
    return {one.figure: one.verdict for one in comparison.differences}


def test_systems_of_two_reports_stand_in_one_row():
    found = compare([report(system("a")), report(system("b", 0.5))])
    assert [column.name for column in found.columns] == ["a", "b"]
    assert list(found.groups) == ["Lips", "Rest"]
    (row,) = found.groups["Lips"]
    assert set(row.results) == {"a", "b"}
    assert not row.apart
    assert found.baseline == "a"


def test_paired_differences_say_better_worse_or_neither():
    found = compare([report(system("a"), system("b", 0.5))])
    assert verdicts(found) == {"LSE-C": BETTER, "WER": WORSE, "Yaw": "higher"}
    (sync,) = [one for one in found.differences if one.figure == "LSE-C"]
    assert sync.value == pytest.approx(0.5)
    assert (sync.low, sync.high) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (sync.count, sync.people) == (24, 0)
    assert set(verdicts(compare([report(system("a"), system("b", 0.0))])).values()) == {UNCLEAR}


def test_only_common_clips_are_paired():
    few = system("b", -1.0, clips=CLIPS[10:])
    found = compare([report(system("a"), few)])
    assert {one.count for one in found.differences} == {14}
    assert found.differences[0].value == pytest.approx(-1.0)
    alone = dataclasses.replace(few, per_clip={"LSE-C": {"other": 1.0}})
    found = compare([report(system("a"), alone, system("c"))])
    assert {one.system for one in found.differences} == {"c"}
    assert "b: nothing was measured clip by clip on the same clips." in comparison_markdown(found)


def test_rounding_in_the_last_place_is_no_difference():
    found = compare([report(system("a"), system("b", 1e-13))])
    assert set(verdicts(found).values()) == {UNCLEAR}


def test_five_clips_are_no_evidence():
    found = compare([report(system("a"), system("b", 3.0, clips=CLIPS[:5]))])
    assert set(verdicts(found).values()) == {TOO_FEW}
    found = compare([report(system("a"), system("b", 3.0, clips=CLIPS[:6]))])
    assert TOO_FEW not in verdicts(found).values()


def test_persons_are_drawn_where_they_are_known():
    noise = np.repeat(np.random.default_rng(0).normal(0.3, 1.0, 6), 4)
    first = system("a", identities={clip: f"p{k // 4}" for k, clip in enumerate(CLIPS)})
    second = system("b")
    values = {clip: first.per_clip["LSE-C"][clip] + noise[k] for k, clip in enumerate(CLIPS)}
    second = dataclasses.replace(second, per_clip={"LSE-C": values})
    (drawn,) = compare([report(first, second)]).differences
    (clips,) = compare([report(dataclasses.replace(first, identities={}), second)]).differences
    assert drawn.people == 6
    assert drawn.high - drawn.low > 1.5 * (clips.high - clips.low)


def test_the_same_seed_gives_the_same_intervals():
    noisy = system("b")
    values = {clip: float(BASE[k] + np.sin(k * k)) for k, clip in enumerate(CLIPS)}
    reports = [report(system("a"), dataclasses.replace(noisy, per_clip={"LSE-C": values}))]
    assert compare(reports, seed=1) == compare(reports, seed=1)
    assert compare(reports, seed=1) != compare(reports, seed=2)


APART = {
    "protocols differ": {"figures": (dataclasses.replace(SYNC, protocol="30 fps"), ERROR)},
    "judge syncnet differs (111111111111 and 333333333333)": {
        "judges": {"syncnet": {"sha256": "33" * 32}, "asr": {"sha256": "22" * 32}}
    },
    "judges differ (syncnet and asr)": {"judged_by": {"LSE-C": ("asr",), "WER": ("asr",)}},
    "suite lists differ (aaaaaaaaaaaa and bbbbbbbbbbbb)": {
        "facts": {"digest": "bb" * 32, "items": 24}
    },
    "suite lists differ (aaaaaaaaaaaa and -)": {"facts": {}},
    "numbers of items differ (24 and 8)": {"facts": {"digest": "aa" * 32, "items": 8}},
    "suites differ (s and t)": {"suite": "t"},
    "unit or direction differ": {"figures": (dataclasses.replace(SYNC, better="lower"), ERROR)},
}


@pytest.mark.parametrize("reason", APART)
def test_numbers_that_mean_something_else_get_a_row_of_their_own(reason):
    second = report(system("b", 0.5), **APART[reason])
    assert why_apart("LSE-C", report(system("a")), second) == reason
    found = compare([report(system("a")), second])
    one, two = found.groups["Lips"]
    assert (set(one.results), set(two.results)) == ({"a"}, {"b"})
    assert two.apart == f"not comparable: {reason}"
    assert "LSE-C" not in verdicts(found)
    text = comparison_markdown(found)
    assert f"1. not comparable: {reason}" in " ".join(text.split())
    (line,) = [line for line in text.splitlines() if line.startswith("| LSE-C") and " (1) " in line]
    assert line.split("|")[2].strip() == "-"


def test_a_judge_of_another_figure_does_not_matter():
    judges = {"syncnet": {"sha256": "11" * 32}, "asr": {"sha256": "99" * 32}}
    second = report(system("b"), judges=judges)
    first = report(system("a"))
    assert not why_apart("LSE-C", first, second)
    assert why_apart("WER", first, second).startswith("judge asr differs")
    unknown = dataclasses.replace(first, judged_by={})
    assert why_apart("LSE-C", unknown, dataclasses.replace(second, judged_by={}))
    absent = {"syncnet": {"sha256": "11" * 32}, "asr": {"sha256": "", "problem": "not here"}}
    assert not why_apart("WER", first, report(system("b"), judges=absent))


def test_without_knowing_the_judges_of_a_figure_the_tracker_must_agree():
    facts = {"digest": "aa" * 32, "items": 24}
    one, two = (
        report(system("a"), judged_by={}, facts={**facts, "tracker": name}) for name in ("x", "y")
    )
    assert why_apart("Yaw", one, two) == "trackers of landmarks differ (x and y)"
    assert not why_apart("Yaw", one, one)


def test_third_report_joins_the_row_it_belongs_to():
    other = (dataclasses.replace(SYNC, protocol="30 fps"),)
    found = compare(
        [
            report(system("a")),
            report(system("b"), figures=other),
            report(system("c")),
            report(system("d"), figures=other),
        ]
    )
    assert [set(row.results) for row in found.groups["Lips"]] == [{"a", "c"}, {"b", "d"}]


def test_equal_names_get_the_label():
    found = compare([report(system("a")), report(system("a"), system("b"))], labels=["x", "y"])
    assert [column.name for column in found.columns] == ["a (x)", "a (y)", "b"]
    assert compare([report(system("a")), report(system("a"))]).columns[1].name == "a (2)"


def test_the_baseline_can_be_chosen_and_is_no_recording_by_itself():
    systems = (system("real", 1.0), system("a"), system("b", 0.5))
    assert compare([report(*systems)]).baseline == "a"
    found = compare([report(*systems)], baseline="b")
    assert {one.system for one in found.differences} == {"real", "a"}
    with pytest.raises(InputError, match="no system 'c' to be the baseline; choose one of: real"):
        compare([report(*systems)], baseline="c")


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="only one system"):
        compare([report(system("a"))])
    with pytest.raises(InputError, match="no figure that two of the reports x, y share"):
        compare(
            [report(system("a"), figures=(SYNC,)), report(system("b"), figures=(ERROR,))],
            labels=["x", "y"],
        )
    with pytest.raises(InputError, match="label of its own"):
        compare([report(system("a")), report(system("b"))], labels=["x", "x"])


def test_a_figure_without_numbers_per_clip_has_no_difference():
    found = compare([report(system("a"), system("b"))])
    assert "FID" not in verdicts(found)
    lost = system("b")
    lost = dataclasses.replace(lost, results={**lost.results, "LSE-C": NotMeasured(reason="x")})
    assert "LSE-C" not in verdicts(compare([report(system("a"), lost)]))


def test_the_page_tells_numbers_differences_and_protocols():
    text = comparison_markdown(compare([report(system("a"), system("b", 0.5))], labels=["x"]))
    assert "| x      | s     | 2026-11-21 | 0.1     | cpu     |" in text
    assert "## Differences from a" in text
    assert "+0.50 [+0.50, +0.50]" in text
    assert "**better**" in text
    assert "too few frames." in text.split("Not measured:")[1]
    assert "- **LSE-C**: SyncNet at 25 fps." in text
    assert json.loads(json.dumps(compare([report(system("a"), system("b"))]).to_dict()))


def test_other_versions_are_told():
    found = compare([report(system("a")), report(system("b"), version="0.2")])
    assert "made by different versions" in comparison_markdown(found)
    bare = system("b")
    found = compare([report(system("a"), dataclasses.replace(bare, per_clip={}))])
    assert "No figure was measured clip by clip" in comparison_markdown(found)


def test_words_and_signs():
    assert verdict(SYNC, 0.1, 0.2) == BETTER
    assert verdict(SYNC, -0.2, -0.1) == WORSE
    assert verdict(ERROR, -0.2, -0.1) == BETTER
    assert verdict(YAW, -0.2, -0.1) == "lower"
    assert verdict(SYNC, -0.1, 0.1) == UNCLEAR
    assert verdict(SYNC, None, None) == UNCLEAR
    assert (signed(0.5, 1), signed(-0.5, 1), signed(0.0, 1)) == ("+0.5", "-0.5", "0.0")
