"""Folders of spoken mouths in which nobody speaks: smooth waves that features tell."""

import numpy as np

from facevox.data.spoken_mouths import FILMED, SpokenMouth, write_plan, write_utterance

CHANNELS = 11
"""As the mapper of the preset tiny takes: 6 of the embedding, 4 of the text, the energy."""


def made_utterance(name="one", kind="matcha", frames=20, seed=0, spare=0):
    """Mouths that are a linear map of the features; filmed heads nod and blink."""
    generator = np.random.default_rng(seed)
    times = np.arange(4 * frames + spare) / 100
    waves = [np.sin(times * generator.uniform(2, 9) + k) for k in range(CHANNELS)]
    features = np.stack(waves, 1).astype(np.float16)
    mix = np.random.default_rng(9).standard_normal((CHANNELS, 9)) * 0.2
    mouth = (features[1::4][:frames].astype(float) @ mix).astype(np.float32)
    mouth[:, 6] = np.maximum(mouth[:, 6] * 0.1, 0)
    others = None
    if kind == FILMED:
        others = np.zeros((frames, 9), np.float32)
        others[:, :3] = np.sin(np.arange(frames) / 5 + seed)[:, None] * [1, 2, 0.5]
        others[frames // 2 : frames // 2 + 3, 4] = 1
        others[:, 5:8] = generator.standard_normal((frames, 3)) * 0.1
    return SpokenMouth(
        name=name,
        kind=kind,
        features=features,
        mouth=mouth,
        known=np.ones(frames, bool),
        others=others,
    )


def write_spoken(folder, kinds=("matcha", "flite", FILMED), each=4, frames=20):
    """Write utterances of each kind, of different lengths, every fourth held out."""
    (folder / "utterances").mkdir(parents=True)
    rows = []
    for number, kind in enumerate(kinds):
        for k in range(each):
            name = f"{kind}-{k}"
            rows.append({"name": name, "kind": kind, "held": k % 4 == 3})
            write_utterance(folder, made_utterance(name, kind, frames + k, 10 * number + k))
    write_plan(folder, {"utterances": rows})
    return folder
