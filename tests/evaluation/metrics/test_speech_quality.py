from pathlib import Path

import numpy as np
import pytest

from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.dnsmos import QualityRating
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Metric, Seen
from facevox.evaluation.metrics.speech_quality import SpeechQuality


class Rater:
    def rate(self, waveform):
        return QualityRating(signal=3.0, background=4.0, overall=float(len(waveform)) / 16_000)


def media_of(tmp_path, monkeypatch, seconds):
    sound = np.ones(seconds * 16_000, np.float32)
    monkeypatch.setattr(ClipMedia, "waveform", lambda self, rate=16_000: sound)
    judges = Judges(tmp_path)
    judges.put("dnsmos", Rater())
    return ClipMedia(Clip(name=f"c{seconds}", video=Path("a.mp4")), judges)


def test_ratings_are_averaged_over_clips(tmp_path, monkeypatch):
    metric = SpeechQuality()
    assert isinstance(metric, Metric)
    seen = []
    for seconds in (2, 4):
        media = media_of(tmp_path, monkeypatch, seconds)
        seen.append(Seen(media.clip, metric.observe(media)))
        assert any("repeated" in note for note in media.notes)
    results = metric.summarise(seen)
    assert set(results) == {figure.name for figure in metric.figures}
    assert results["DNSMOS overall"].value == pytest.approx(3.0)
    assert results["DNSMOS background"].value == 4.0


def test_a_long_clip_needs_no_note(tmp_path, monkeypatch):
    media = media_of(tmp_path, monkeypatch, 10)
    SpeechQuality().observe(media)
    assert media.notes == []
