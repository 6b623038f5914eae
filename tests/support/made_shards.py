"""Shards of aligned speech that nobody spoke: buzzes with symbols, pictures and voices."""

import io
import json

import numpy as np
import soundfile
import torch
from made_voice import vowels
from PIL import Image

from facevox.data.shards import FORMAT, MANIFEST, write_index, write_shard

SYMBOLS = ("pau", "hh", "ax0", "l", "ow1", ".")
TAGS = (0, 1, 2, 2, 2, 0)


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def members(seed=0, *, speaker="one", corpus="made", faces=0, embedding=True):
    """Return the files of one sample, and its frames."""
    generator = np.random.default_rng(seed)
    durations = generator.integers(12, 20, len(SYMBOLS)).astype(np.int32)
    frames = int(durations.sum())
    f0 = 100.0 + 20 * (seed % 5)
    sound = vowels(f0, frames / 100)[: frames * 160].astype(np.float32)
    sound = np.pad(sound, (0, frames * 160 - len(sound)))
    flac = io.BytesIO()
    soundfile.write(flac, sound, 16_000, format="FLAC", subtype="PCM_16")
    melody = np.full(frames, f0, np.float32)
    melody[: durations[0]] = 0
    said = {"symbols": SYMBOLS, "tags": TAGS, "speaker": speaker, "corpus": corpus}
    files = {
        "flac": flac.getvalue(),
        "f0.npy": _npy(melody),
        "durations.npy": _npy(durations),
        "json": json.dumps(said).encode(),
    }
    if embedding:
        voice = generator.standard_normal(192).astype(np.float32)
        files["speaker.npy"] = _npy(voice / np.linalg.norm(voice))
    for number in range(faces):
        jpeg = io.BytesIO()
        Image.new("RGB", (64, 64), (40 * number, 90, 120)).save(jpeg, "JPEG")
        files[f"face{number}.jpg"] = jpeg.getvalue()
    return files, frames


def write_shards(folder, count=6, **how):
    """Write a training and a validation split."""
    folder.mkdir(parents=True, exist_ok=True)
    splits = {}
    for split, first in (("train", 0), ("validation", 100)):
        samples = []
        for number in range(first, first + count):
            files, frames = members(number, **how)
            entry = {
                "frames": frames,
                "tokens": len(SYMBOLS),
                "speaker": "one",
                "corpus": how.get("corpus", "made"),
            }
            samples.append((f"clip{number}", files, entry))
        shard = write_shard(folder / f"{split}-000000.tar", iter(samples), 1e9)
        write_index(folder, shard)
        splits[split] = {"shards": [shard.name], "samples": count}
    manifest = {"format": FORMAT, "splits": splits}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def identity_network():
    """See a face as its mean colours, blown up."""

    def see(pictures):
        means = pictures.mean((2, 3))
        return torch.cat([means, torch.ones(len(means), 509)], 1)

    return see
