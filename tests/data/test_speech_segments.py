import io
import json

import numpy as np
import pytest
import soundfile

from facevox.core.errors import DataError
from facevox.data.shards import write_index, write_shard
from facevox.data.speech_segments import SegmentSampler, SpokenClip, held_out, open_clips


def clip(name, group, frames, loud=0.1):
    sound = np.arange(frames * 160) % 160 / 160 * loud
    f0 = np.arange(frames, dtype=np.float32)
    return SpokenClip(name=name, group=group, waveform=sound.astype(np.float16), f0=f0)


def test_sound_and_f0_are_of_the_same_place():
    waveform = np.repeat(np.arange(300), 160) / 1000 + 0.05
    whole = SpokenClip(
        name="a",
        group="g",
        waveform=waveform.astype(np.float16),
        f0=np.arange(300, dtype=np.float32),
    )
    sampler = SegmentSampler([whole], batch=5, frames=40, margin=3, gains=(0.0, 0.0))
    drawn = sampler.draw(np.random.default_rng(0))
    assert drawn.waveform.shape == (5, 46 * 160)
    assert drawn.f0.shape == (5, 40)
    middle = drawn.waveform[:, 3 * 160 : -3 * 160 : 160]
    np.testing.assert_allclose(middle, drawn.f0 / 1000 + 0.05, atol=1e-3)


def test_same_seed_same_segments():
    sampler = SegmentSampler([clip("a", "g", 100), clip("b", "g", 80)], batch=3, frames=20)
    first, again = (sampler.draw(np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first.waveform, again.waveform)


def test_groups_come_as_they_are_weighted():
    clips = [clip("long", "a", 1000), clip("short", "b", 100), clip("other", "c", 300)]
    sampler = SegmentSampler(clips, batch=1, frames=20, weights={"b": 0.5})
    np.testing.assert_allclose(sampler._chances, [0.5 * 1000 / 1300, 0.5, 0.5 * 300 / 1300])


def test_sound_is_never_too_loud():
    sampler = SegmentSampler([clip("a", "g", 100, loud=0.95)], batch=8, frames=20, gains=(3.0, 6.0))
    assert float(sampler.draw(np.random.default_rng(0)).waveform.abs().max()) <= 1.0


def test_too_short_is_told():
    with pytest.raises(DataError, match="longer than"):
        SegmentSampler([clip("a", "g", 20)], batch=1, frames=40)


def test_held_out_is_one_of_so_many_and_fixed():
    names = [f"name{i}" for i in range(3000)]
    assert 80 < sum(held_out(name, 25) for name in names) < 160
    assert [held_out(n, 25) for n in names] == [held_out(n, 25) for n in names]


def shard_sample(frames, broken=False):
    sound, f0 = io.BytesIO(), io.BytesIO()
    wave = np.repeat(np.arange(frames), 160) / 1000 + 0.05
    soundfile.write(sound, wave, 16_000, format="FLAC")
    np.save(f0, np.arange(frames, dtype=np.float32))
    return {"flac": b"x" if broken else sound.getvalue(), "f0.npy": f0.getvalue(), "json": b"{}"}


@pytest.fixture
def prepared(tmp_path):
    split = {}
    for name, broken in (("train", False), ("validation", True)):
        rows = [(f"{name}{k}", shard_sample(100 + k, broken), k) for k in range(3)]
        samples = [(n, m, {"frames": 100 + k, "corpus": f"c{k % 2}"}) for n, m, k in rows]
        shard = write_shard(tmp_path / f"{name}-000000.tar", iter(samples), 1e9)
        write_index(tmp_path, shard)
        split[name] = {"shards": [shard.name]}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "splits": split}))
    return tmp_path


def test_prepared_shards_are_read_where_they_lie(prepared):
    clips = open_clips(prepared, "train", 25)
    assert [(clip.name, clip.group, clip.frames) for clip in clips] == [
        ("train0", "c0", 100),
        ("train1", "c1", 101),
        ("train2", "c0", 102),
    ]
    sampler = SegmentSampler(clips, batch=4, frames=30, margin=3, gains=(0.0, 0.0))
    drawn = sampler.draw(np.random.default_rng(0))
    middle = drawn.waveform[:, 3 * 160 : -3 * 160 : 160]
    np.testing.assert_allclose(middle, drawn.f0 / 1000 + 0.05, atol=1e-3)


def test_a_damaged_sample_is_told(prepared):
    sampler = SegmentSampler(open_clips(prepared, "validation", 25), batch=1, frames=30)
    with pytest.raises(DataError, match=r"validation\d cannot be read"):
        sampler.draw(np.random.default_rng(0))
