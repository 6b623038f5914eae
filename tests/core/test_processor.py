import pytest

from facevox.core import processor


@pytest.mark.parametrize(
    ("text", "able"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16\n", True),
        ("Features\t: asimd bf16\n", True),
        ("flags\t\t: fpu avx2 xbf16x\n", False),
        ("", False),
    ],
)
def test_units_are_found_by_whole_words(tmp_path, monkeypatch, text, able):
    listed = tmp_path / "cpuinfo"
    listed.write_text(text)
    monkeypatch.setattr(processor, "Path", lambda _: listed)
    assert processor.cpu_computes_in_bf16() is able


def test_other_systems_have_no_list(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "Path", lambda _: tmp_path / "absent")
    assert processor.processor_lines("flags") == []
    assert not processor.cpu_computes_in_bf16()
