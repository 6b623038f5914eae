import re

import numpy as np
import pytest

from facevox.evaluation.metric import Estimate, Figure, NotMeasured
from facevox.evaluation.report.plots import (
    COLOURS,
    MARKERS,
    bars,
    lips,
    marker,
    scatter,
    system_colours,
)
from facevox.evaluation.report.report import LipTrace
from facevox.evaluation.report.svg import coordinate, prose, tag, text, tick_label, ticks

FIGURE = Figure(name="LSE-C", unit="", better="higher", protocol="p", digits=2)


def lengths(drawing: str) -> list[float]:
    return [
        float(width) for width in re.findall(r'<rect x="[^"]+" y="[^"]+" width="([^"]+)"', drawing)
    ]


def test_bars_start_at_zero_and_keep_proportions():
    one, two = lengths(
        bars(FIGURE, [("a", Estimate(value=2.0, count=3)), ("b", Estimate(value=4.0, count=3))])
    )
    assert two == pytest.approx(2 * one, rel=1e-3)


def test_bars_of_both_signs_share_the_zero():
    drawing = bars(
        FIGURE,
        [
            ("a", Estimate(value=-1.0, low=-2.0, high=0.5, count=3)),
            ("b", Estimate(value=1.0, count=3)),
        ],
    )
    one, two = lengths(drawing)
    assert one == pytest.approx(two, abs=0.02)
    zero = float(re.search(r'x1="([^"]+)" x2="\1"[^>]*class="zero"', drawing)[1])
    starts = [float(x) for x in re.findall(r'<rect x="([^"]+)"', drawing)]
    assert starts[0] + one == pytest.approx(zero, abs=0.02)
    assert starts[1] == pytest.approx(zero, abs=0.02)
    assert drawing.count('class="whisker"') == 1


def test_what_was_not_measured_has_no_bar():
    drawing = bars(FIGURE, [("a", Estimate(value=1.0, count=3)), ("b", NotMeasured(reason="r"))])
    assert len(lengths(drawing)) == 1
    assert "not measured" in drawing


def test_recordings_are_grey_and_mark_where_they_stand():
    assert system_colours(["real", "a", "b"]) == ["var(--real)", "var(--c0)", "var(--c1)"]
    results = [("real", Estimate(value=1.0, count=3)), ("a", Estimate(value=0.5, count=3))]
    assert bars(FIGURE, results).count('class="truth"') == 1
    assert "truth" not in bars(FIGURE, results[1:])


def test_a_number_that_is_zero_everywhere_still_has_a_drawing():
    drawing = bars(FIGURE, [("a", Estimate(value=0.0, low=0.0, high=0.0, count=3))])
    assert lengths(drawing) == [0.0]
    assert "nan" not in drawing


def test_long_numbers_keep_apart():
    drawing = bars(FIGURE, [("a", Estimate(value=15079.0948, high=16000.0, low=1.0, count=3))])
    labels = re.findall(r'<text x="([^"]+)"[^>]*class="tick">(\d+)<', drawing)
    places = [float(x) for x, _ in labels]
    assert np.diff(places).min() > 7 * max(len(words) for _, words in labels)
    end = max(float(x) for x in re.findall(r"H([0-9.]+)", drawing))
    assert end < 328 - 6 * len("15079.09")


def test_a_long_name_is_cut_but_kept_in_full_for_the_pointer():
    drawing = bars(FIGURE, [("a-very-long-name-of-a-system", Estimate(value=1.0, count=3))])
    assert "<title>a-very-long-name-of-a-system</title>a-very-long-na\u2026" in drawing


def test_lips_leave_a_gap_where_no_face_was():
    gap = np.array([0.1, 0.2, np.nan, 0.1, 0.1])
    drawing = lips(LipTrace(title="t", lip_gap=gap, openness=np.ones(5), fps=25.0))
    path = re.search(r'<path d="([^"]+)" class="seen"', drawing)[1]
    assert path.count("M") == 2
    assert path.count("L") == 2
    assert "nan" not in drawing


@pytest.mark.parametrize("gap", [np.full(4, np.nan), np.zeros(4), np.zeros(0)])
def test_lips_that_were_never_seen_draw_nothing(gap):
    drawing = lips(LipTrace(title="t", lip_gap=gap, openness=np.zeros(len(gap)), fps=25.0))
    assert "nan" not in drawing
    assert "lip gap [IOD]" in drawing


def test_persons_differ_in_colour_then_in_shape():
    looks = {marker(index, 1.0, 2.0) for index in range(COLOURS * len(MARKERS))}
    assert len(looks) == COLOURS * len(MARKERS)


def test_scatter_keeps_the_shape_of_the_cloud():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    drawing = scatter(points, ["a", "b", "a"], ["a", "b"], ("x", "y"), "t")
    place = [
        (float(x), float(y)) for x, y in re.findall(r'cx="([^"]+)" cy="([^"]+)"', drawing)
    ]  # fmt: skip
    across, up = place[1][0] - place[0][0], place[0][1] - place[2][1]
    assert across > 0
    assert up == pytest.approx(across, rel=0.08)
    assert drawing.count("<title>a</title>") == 2
    assert "nan" not in scatter(np.zeros((2, 2)), ["a", "a"], ["a"], ("x", "y"), "t")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 10.0, [0.0, 5.0, 10.0]),
        (0.0, 0.9, [0.0, 0.5]),
        (-3.4, 1.4, [-2.0, 0.0]),
        (2.0, 2.0, [2.0]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_ticks_are_few_and_inside():
    generator = np.random.default_rng(0)
    for _ in range(300):
        low, high = np.sort(generator.normal(size=2) * 10.0 ** generator.integers(-6, 6))
        found = ticks(float(low), float(high))
        assert 1 <= len(found) <= 4
        assert all(low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high) for value in found)


def test_markup():
    assert tag("rect", x=1.0, y=-0.001, rx=2.5, class_="a b", fill=None) == (
        '<rect x="1" y="0" rx="2.5" class="a b"/>'
    )
    assert tag("a", text("<b>"), href='"x"') == '<a href="&quot;x&quot;">&lt;b&gt;</a>'
    assert text("a\x00\x07\nb") == "a\nb"
    assert prose("run `a <b>` now") == "run <code>a &lt;b&gt;</code> now"
    assert [coordinate(value) for value in (1.0, 0.126, -0.001, 10.0, 3)] == [
        "1",
        "0.13",
        "0",
        "10",
        "3",
    ]
    assert [tick_label(value) for value in (0.30000000000000004, 15000.0)] == ["0.3", "15000"]
