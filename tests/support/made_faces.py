"""Folders for the warm-up of the face generator, without a single real face."""

import json

import numpy as np

from facevox.data.portraits import HELD_OUT

PEOPLE = ("london-001", "london-001-s", "canada-003f", min(HELD_OUT))


def smooth_picture(generator, side):
    """Return blobs of colour."""
    line = np.linspace(0, 3, side)
    phase = generator.random((3, 2)) * 6
    waves = [
        np.sin(line[:, None] * (1 + k) + a) * np.cos(line + b) for k, (a, b) in enumerate(phase)
    ]
    return np.uint8(np.stack(waves, -1) * 100 + 127)


def write_faces(folder, side=64, samples=4, real=True):
    """Write acted people, pairs and clips of coloured blobs."""
    generator = np.random.default_rng(0)
    acted, photos = folder / "acted", folder / "real"
    for place in (acted, photos):
        place.mkdir(parents=True, exist_ok=True)
    for name in PEOPLE:
        pictures = [smooth_picture(generator, side) for _ in range(2 * samples)]
        frames = np.stack(pictures).reshape(samples, 2, side, side, 3)
        cells = side // 4
        normal = generator.standard_normal
        np.save(acted / f"{name}.frames.npy", frames)
        np.save(acted / f"{name}.mouth.npy", normal((samples, 2, 9)).astype(np.float32))
        np.save(acted / f"{name}.others.npy", normal((samples, 9)).astype(np.float32))
        flow = normal((samples, 2, cells, cells, 2)).astype(np.float16)
        np.save(acted / f"{name}.flow.npy", flow)
    people = {"london-001": [1.0, 0.2, 0.1, 0.0, -0.3]}
    (folder / "people.json").write_text(json.dumps(people))
    if real:
        _write_real(photos, side, generator)
    return folder


def _write_real(folder, side, generator):
    normal = generator.standard_normal
    pictures = np.stack([smooth_picture(generator, side) for _ in range(4)])
    np.save(folder / "pairs.npy", pictures.reshape(2, 2, side, side, 3))
    np.save(folder / "pairs_mouth.npy", normal((2, 9)).astype(np.float32))
    np.save(folder / "pairs_pose.npy", normal((2, 2, 3)).astype(np.float32))
    np.save(folder / "pairs_names.npy", np.array(["london-001", min(HELD_OUT)]))
    clips = np.stack([smooth_picture(generator, side) for _ in range(6)])
    np.save(folder / "grid.npy", clips.reshape(2, 3, side, side, 3))
    np.save(folder / "grid_mouth.npy", normal((2, 3, 9)).astype(np.float32))
    np.save(folder / "grid_pose.npy", normal((2, 3, 3)).astype(np.float32))
    np.save(folder / "grid_found.npy", np.ones((2, 3), bool))
    np.save(folder / "grid_test.npy", np.array([False, True]))
