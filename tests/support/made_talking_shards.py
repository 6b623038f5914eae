"""Shards of talking faces that nobody filmed: blobs of colour beside buzzes with symbols."""

import io
import json

import numpy as np
from made_faces import smooth_picture
from made_shards import SYMBOLS, members

from facevox.data.shards import FORMAT, MANIFEST, write_index, write_shard
from facevox.data.talking.picture_sequence import encode_pictures


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def talking_members(seed=0, side=64, **how):
    """Return the files of one sample, its mel frames and its pictures."""
    files, frames = members(seed, embedding=False, **how)
    generator = np.random.default_rng(seed + 50)
    count = frames // 4
    still = smooth_picture(generator, side).astype(int)
    pictures = [np.uint8(np.clip(still + 20 * np.sin(k), 0, 255)) for k in range(count)]
    content, borders = encode_pictures(pictures, 90)
    said = json.loads(files["json"]) | {"first_picture": 0, "frames": frames}
    landmarks = generator.uniform(0, side, (count, 478, 3)).astype(np.float16)
    files |= {
        "json": json.dumps(said).encode(),
        "pictures.jpgs": content,
        "pictures.npy": _npy(borders),
        "found.npy": _npy(np.ones(count, bool)),
        "landmarks.npy": _npy(landmarks),
        "pose.npy": _npy(np.zeros((count, 3), np.float32)),
        "mouth.npy": _npy(np.zeros((count, 6), np.float32)),
        "lip_gap.npy": _npy(np.zeros(count, np.float32)),
    }
    return files, frames, count


def write_talking_shards(folder, count=4, side=64):
    """Write a training and a validation split."""
    folder.mkdir(parents=True, exist_ok=True)
    splits = {}
    for split, first in (("train", 0), ("validation", 100)):
        samples = []
        for number in range(first, first + count):
            files, frames, pictures = talking_members(number, side)
            entry = {
                "frames": frames,
                "tokens": len(SYMBOLS),
                "speaker": "one",
                "corpus": "made",
                "pictures": pictures,
            }
            samples.append((f"clip{number}", files, entry))
        shard = write_shard(folder / f"{split}-000000.tar", iter(samples), 1e9)
        write_index(folder, shard)
        splits[split] = {"shards": [shard.name], "samples": count}
    (folder / MANIFEST).write_text(json.dumps({"format": FORMAT, "splits": splits}))
    return folder
