import dataclasses
import json

import pytest

from facevox.core.errors import ConfigError
from facevox.evaluation.metric import Estimate, NotMeasured
from facevox.evaluation.report.store import load_report, save_report


def changed(folder, report, change):
    path = save_report(report, folder)
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    return path


def test_a_report_comes_back_as_it_was(report, tmp_path):
    path = save_report(report, tmp_path / "new" / "folder")
    assert path.name == "report.json"
    assert load_report(path) == report
    assert load_report(path.parent) == report
    kinds = {type(result) for result in report.systems[1].results.values()}
    assert kinds == {Estimate, NotMeasured}


def test_the_same_report_is_the_same_file(report, tmp_path):
    first = save_report(report, tmp_path).read_bytes()
    assert save_report(load_report(tmp_path), tmp_path / "again").read_bytes() == first
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.json"]


def test_letters_outside_ascii_survive(report, tmp_path):
    strange = dataclasses.replace(report, suite="Gr\u00fc\u00dfe \u4f60 \udcff")
    assert load_report(save_report(strange, tmp_path)).suite == strange.suite


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_number_is_never_written(report, tmp_path, value):
    system = dataclasses.replace(
        report.systems[0], results={"Lip agreement": Estimate(value=value, count=3)}
    )
    with pytest.raises(ValueError, match=r"systems\[0\].results.Lip agreement.value"):
        save_report(dataclasses.replace(report, systems=(system,)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_values_that_json_would_change_are_refused(report, tmp_path):
    with pytest.raises(ValueError, match=r"report.facts.where is a PosixPath"):
        save_report(dataclasses.replace(report, facts={"where": tmp_path}), tmp_path)
    with pytest.raises(ValueError, match="text keys only"):
        save_report(dataclasses.replace(report, facts={"counts": {1: 2}}), tmp_path)


CHANGES = {
    "the unknown field 'colour'": lambda v: v.update(colour="red"),
    "report.systems\\[0\\] has the unknown field 'x'": lambda v: v["systems"][0].update(x=1),
    "lacks the field 'machine'": lambda v: v.pop("machine"),
    "report format 2; this facevox reads 1": lambda v: v.update(format=2),
    "report format None": lambda v: v.pop("format"),
    "is not a report; `facevox evaluate`": lambda v: v.pop("kind"),
    "report.systems\\[0\\].clips is '48', expected int": lambda v: v["systems"][0].update(
        clips="48"
    ),
    "report.figures\\[1\\].better is 'sideways', expected one of": lambda v: v["figures"][1].update(
        better="sideways"
    ),
    "report.systems is 'none', expected a list": lambda v: v.update(systems="none"),
    "report.groups is '\\[\\]', expected an object": lambda v: v.update(groups=[]),
    "Lip agreement is '3', expected an object": lambda v: v["systems"][0]["results"].update(
        {"Lip agreement": 3}
    ),
    "Lip agreement lacks the field 'value'": lambda v: v["systems"][0]["results"].update(
        {"Lip agreement": {"count": 3}}
    ),
    "count is 'True', expected int": lambda v: v["systems"][0]["results"]["Lip agreement"].update(
        count=True
    ),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_a_changed_file_is_refused_with_the_place(report, tmp_path, sentence):
    path = changed(tmp_path, report, CHANGES[sentence])
    with pytest.raises(ConfigError, match=sentence):
        load_report(path)


def test_a_whole_number_will_do_for_a_number(report, tmp_path):
    def change(values):
        values["systems"][0]["results"]["Lip agreement"]["value"] = 1

    value = load_report(changed(tmp_path, report, change)).systems[0].results["Lip agreement"].value
    assert value == 1.0
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[1]", "is not a report"),
        (b'{"kind": NaN}', "NaN is not a number"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_other_files_are_refused(tmp_path, content, sentence):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=sentence):
        load_report(path)


def test_nothing_there_says_what_to_give(tmp_path):
    with pytest.raises(ConfigError, match=r"There is no report at .*`facevox evaluate`"):
        load_report(tmp_path)
    with pytest.raises(ConfigError, match="There is no report"):
        load_report(tmp_path / "absent")


def test_a_number_too_large_to_hold_is_refused(report, tmp_path):
    path = save_report(report, tmp_path)
    path.write_text(path.read_text().replace('"format": 1', '"format": 1e400', 1))
    with pytest.raises(ConfigError, match="1e400 is not a number that a report may hold"):
        load_report(path)
