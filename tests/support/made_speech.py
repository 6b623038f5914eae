"""Recordings that are enough like speech to be prepared, and small videos with sound."""

import av
import numpy as np
import soundfile
from made_voice import vowels

RATE = 16_000


def babble(seconds=1.5, f0=120.0, seed=0, edge=0.3):
    """Syllables of a buzz and bursts of hiss, with pauses around them."""
    generator = np.random.default_rng(seed)
    count = int(seconds / 0.25)
    parts = [np.zeros(int(edge * RATE))]
    for _ in range(count):
        syllable = vowels(f0 * generator.uniform(0.9, 1.1), 0.17)
        burst = 0.05 * generator.standard_normal(int(0.05 * RATE))
        parts += [syllable, burst, np.zeros(int(0.03 * RATE))]
    parts.append(np.zeros(int(edge * RATE)))
    waveform = np.concatenate(parts)
    return (waveform + 1e-4 * generator.standard_normal(len(waveform))).astype(np.float32)


def write_sound(path, waveform=None, rate=RATE, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, babble(**how) if waveform is None else waveform, rate)
    return path


def write_talking(path, waveform=None, frames=30, size=64, **how):
    """Write a video of grey frames that grow brighter, with sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waveform = babble(**how) if waveform is None else waveform
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "18"})
        video.width = video.height = size
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for number in range(frames):
            pixels = np.full((size, size, 3), 8 * number, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(waveform[None], format="fltp", layout="mono")
        frame.rate = RATE
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path
