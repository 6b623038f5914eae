"""Sounds on the page: they play, nothing is fetched, and names are escaped."""

import base64
import io
import re

import numpy as np
import soundfile

from facevox.core.waveform import write_waveform
from facevox.evaluation.report.page_sounds import sound_section
from facevox.evaluation.report.report import Illustrations


def test_a_sound_is_inside_the_page_and_can_be_decoded(tmp_path):
    tone = np.sin(np.arange(24_000) * 0.1).astype(np.float32) / 2
    file = write_waveform(tmp_path / "a.wav", tone, 24_000)
    shown = Illustrations(sounds={"<one>": [("a & b", file)]})
    section = sound_section(shown)
    assert "&lt;one&gt;" in section
    assert "a &amp; b" in section
    (data,) = re.findall(r'src="data:audio/mpeg;base64,([^"]+)"', section)
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert rate == 24_000
    assert 0.9 < len(heard) / rate < 1.2
    assert sound_section(shown) == section


def test_no_sounds_no_section_and_a_lost_file_is_told(tmp_path):
    assert sound_section(Illustrations()) == ""
    assert sound_section(Illustrations(sounds={"one": []})) == ""
    lost = Illustrations(sounds={"one": [("a", tmp_path / "lost.wav")]})
    assert "lost.wav" in sound_section(lost)
