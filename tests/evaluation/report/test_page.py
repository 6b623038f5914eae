import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from facevox.core.errors import MediaError
from facevox.evaluation.metric import Estimate, NotMeasured
from facevox.evaluation.report.page import page, summary, write_page
from facevox.evaluation.report.report import Illustrations, LipTrace

EMPTY = {"meta", "img", "br"}
NASTY = "<script>alert('1')</script>\"'&"


class Outline(HTMLParser):
    """Checks that every element is closed in order, and keeps what it saw."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open, self.seen, self.values, self.ids, self.words = [], set(), [], set(), []
        self.feed(content)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, name, attributes):
        self.seen.add(name)
        self.values += attributes
        for key, value in attributes:
            if key == "id":
                assert value not in self.ids, f"the id {value} stands twice"
                self.ids.add(value)
        if name not in EMPTY:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.seen.add(name)
        self.values += attributes

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def made(report, illustrations):
    return page(report, illustrations)


def test_the_page_is_well_formed_and_holds_everything(made, report):
    outline = Outline(made)
    for figure in report.figures:
        assert figure.name in outline.text
        assert figure.protocol in outline.text
    for system in report.systems:
        assert system.name in outline.text
    for part in (
        "7.215 [6.905, 7.525] n=48",
        "n=12 pairs",
        "Two clips were shorter than one second.",
        "LSE-C (crop) (lite); LSE-D (crop) (lite, wav2lip-gan)",
        "facevox judges add syncnet FILE",
        "1175 frames are fewer",
        "p07_t1: shows no face.",
        "30 fps resampled to 25 by nearest frame: 46 clips",
        "ab12ab12ab12",
        "Recordings of one speaker",
        "pocketsphinx 5.0.4",
        "MIT (code), weights: research",
        report.command,
        "real: p00_t0",
        "cam++, component 1",
        "cam++, t-SNE 2",
        "perplexity 15.7",
    ):
        assert part in outline.text
    assert "cannot be read as a video" in outline.text
    assert "absent.mp4" in outline.text


def test_nothing_is_fetched_and_nothing_runs(made):
    outline = Outline(made)
    assert not outline.seen & {"script", "link", "iframe", "object", "base", "form", "use"}
    for key, value in outline.values:
        assert not key.startswith("on")
        if key == "src":
            assert value.startswith("data:image/jpeg;base64,")
        if key == "href":
            assert value[0] == "#"
            assert value[1:] in outline.ids
    style = re.search(r"<style>(.*?)</style>", made, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in made


def test_the_same_report_gives_the_same_bytes(report, illustrations, tmp_path, made):
    path = write_page(report, illustrations, tmp_path / "report.html")
    assert path.read_bytes() == made.encode()
    assert page(report, illustrations) == made
    assert len(made) < 3e6


def test_the_page_serves_light_and_dark_wide_and_narrow(made):
    assert "prefers-color-scheme: dark" in made
    assert "max-width: 720px" in made
    assert 'name="viewport"' in made


def test_every_colour_is_defined(made):
    defined = set(re.findall(r"(--[a-z0-9]+):", made))
    assert set(re.findall(r"var\((--[a-z0-9]+)[,)]", made)) <= defined


def test_what_comes_from_outside_is_escaped_everywhere(report, tmp_path):
    figure = dataclasses.replace(report.figures[0], name=NASTY, unit=NASTY, protocol=NASTY)
    results = {
        NASTY: Estimate(value=1.0, count=2, of=NASTY, note=NASTY),
        report.figures[1].name: NotMeasured(reason=NASTY),
    }
    system = dataclasses.replace(
        report.systems[1],
        name=NASTY,
        info={NASTY: NASTY, "summary": NASTY},
        failed={NASTY: NASTY},
        notes={NASTY: 1},
        results=results,
    )
    nasty = dataclasses.replace(
        report,
        suite=NASTY, created=NASTY, command=NASTY, version=NASTY, machine=NASTY,
        facts={NASTY: NASTY, "summary": NASTY},
        figures=(figure, report.figures[1]),
        groups={NASTY: (NASTY, report.figures[1].name)},
        judges={NASTY: {"sha256": NASTY, "source": NASTY, "licence": NASTY}, "x": {"problem": NASTY}},
        systems=(system,),
    )  # fmt: skip
    video = tmp_path / "<script>.mp4"
    video.write_bytes(b"x")
    one = np.ones(3)
    content = page(
        nasty,
        Illustrations(
            lips=(LipTrace(title=NASTY, lip_gap=one, openness=one, fps=25.0),),
            voices={NASTY: (np.eye(3, dtype=np.float32), [NASTY] * 3)},
            voices_by=NASTY,
            videos={NASTY: [(NASTY, video)]},
        ),
    )
    assert "script" not in Outline(content).seen
    assert "<script" not in content
    assert content.count("&lt;script&gt;") > 30


def test_letters_that_no_page_may_hold_are_replaced(report, tmp_path):
    odd = dataclasses.replace(report, suite="a\0b\x1b \udcff \u4f60")
    content = write_page(odd, Illustrations(), tmp_path / "page.html").read_text("utf-8")
    assert "Evaluation: ab ? \u4f60" in content


def test_a_report_without_anything_is_still_a_page(report):
    empty = dataclasses.replace(
        report, figures=(), groups={}, judges={}, systems=(), facts={}, judged_by={}
    )
    outline = Outline(page(empty, Illustrations()))
    assert {"lips", "voices", "stills", "judges", "missing"} & outline.ids == set()
    assert "repeat" in outline.ids


def test_every_reason_is_linked_once(made, report):
    reasons = {
        result.reason
        for system in report.systems
        for result in system.results.values()
        if isinstance(result, NotMeasured)
    }
    assert made.count('<dt id="missing-') == len(reasons) == 2
    assert made.count('href="#missing-1"') == 5


def test_the_summary_counts(report):
    assert summary(report) == (
        "3 systems, 142 clips scored, 2 clips failed. 6 of 10 figures measured for every system, "
        "3 for some, 1 for none."
    )


def test_a_folder_that_is_not_there_is_said(report, tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        write_page(report, Illustrations(), tmp_path / "no" / "page.html")
