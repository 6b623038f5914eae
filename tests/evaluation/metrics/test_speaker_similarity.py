from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from facevox.core.errors import InputError, MissingPiece
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.campplus import CampplusJudge
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.xvector import tiny as tiny_xvector
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.speaker_similarity import FaceVoiceAssociation, SpeakerSimilarity
from facevox.models.speech.campplus import Campplus, tiny


def sound(path, pitch, seconds=0.8, sample_rate=16_000):
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    buzz = np.sign(np.sin(2 * np.pi * pitch * time)) * (1 + np.sin(2 * np.pi * 3 * time))
    soundfile.write(path, 0.2 * buzz, sample_rate)
    return path


@pytest.fixture
def judges(tmp_path):
    torch.manual_seed(0)
    judges = Judges(tmp_path / "judges")
    judges.put("campplus", CampplusJudge(Campplus(tiny()).eval()))
    judges.put("xvector", tiny_xvector().eval())
    return judges


@pytest.mark.parametrize(
    ("judge", "figure"), [("campplus", "SS (CAM++)"), ("xvector", "C-SIM (x-vector)")]
)
def test_the_same_sound_gives_one_and_another_less(tmp_path, judges, judge, figure):
    metric = SpeakerSimilarity(judge)
    assert isinstance(metric, Metric)
    assert [one.name for one in metric.figures] == [figure]
    first, twin = sound(tmp_path / "a.wav", 110), sound(tmp_path / "b.wav", 110)
    other = sound(tmp_path / "c.wav", 240)
    seen = []
    for reference in (twin, other):
        clip = Clip(name=reference.stem, video=first, reference=reference)
        seen.append(Seen(clip, metric.observe(ClipMedia(clip, judges))))
    same, less = (float(item.observation["cosine"]) for item in seen)
    assert same == pytest.approx(1, abs=1e-5)
    assert less < same - 1e-6
    result = metric.summarise(seen)[figure]
    assert isinstance(result, Estimate)
    assert result.value == pytest.approx((same + less) / 2)


def test_no_reference_and_its_own_reference_are_refused(tmp_path, judges):
    video = sound(tmp_path / "a.wav", 110)
    with pytest.raises(InputError, match="no recording"):
        SpeakerSimilarity().observe(ClipMedia(Clip(name="a", video=video), judges))
    clip = Clip(name="a", video=video, reference=video)
    with pytest.raises(InputError, match="its own reference"):
        SpeakerSimilarity().observe(ClipMedia(clip, judges))


def test_a_missing_judge_and_a_blink_of_sound_are_sentences(tmp_path, judges):
    video, other = sound(tmp_path / "a.wav", 110), sound(tmp_path / "b.wav", 110, 0.2)
    clip = Clip(name="a", video=video, reference=sound(tmp_path / "c.wav", 110))
    with pytest.raises(MissingPiece, match="resemblyzer"):
        SpeakerSimilarity("resemblyzer").observe(ClipMedia(clip, Judges(tmp_path)))
    short = Clip(name="b", video=other, reference=video)
    with pytest.raises(InputError, match=r"b\.wav has 0\.20 s of sound"):
        SpeakerSimilarity().observe(ClipMedia(short, judges))


def test_association_is_named_and_not_measured(tmp_path):
    metric = FaceVoiceAssociation()
    assert isinstance(metric, Metric)
    clip = Clip(name="x", video=Path("x.mp4"))
    seen = [Seen(clip, metric.observe(ClipMedia(clip, Judges(tmp_path))))]
    (result,) = metric.summarise(seen).values()
    assert isinstance(result, NotMeasured)
