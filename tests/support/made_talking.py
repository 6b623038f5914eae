"""The NASA portrait, talking: pictures and sound, whole or spoilt, as a video file."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from facevox.core.waveform import resample

TEXT = "My mum bought a big blue bowl of soup."
RATE = 16_000
TOP, LEFT, SIDE = 20, 80, 288


@dataclass
class Talk:
    """Pictures at 25 fps and their sound at 16 kHz."""

    frames: np.ndarray
    waveform: np.ndarray


def talk(lite, astronaut):
    """Let the system `lite` speak, its picture cut to the head, with faint noise in the sound."""
    face = lite.generate(astronaut, TEXT, seed=1)
    rows, columns = slice(TOP, TOP + SIDE), slice(LEFT, LEFT + SIDE)
    frames = np.stack([pixels[rows, columns] for pixels in face.frames()])
    waveform = resample(face.waveform(), face.clock.sample_rate, RATE)
    noise = 1e-4 * np.random.default_rng(0).standard_normal(len(waveform))
    return Talk(frames, (waveform + noise).astype(np.float32))


def write_clip(path, talk, *, fps=25, late=0, sound_late=0.0, times=None):
    """Write a video.

    Args:
        path: Where to.
        talk: What it shows.
        fps: Its rate; the same pictures are shown for the same time.
        late: By how many pictures the lips are moved behind the sound.
        sound_late: When the sound track begins [s].
        times: When each picture is shown, in ticks of 1 ms.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = talk.frames
    if late:
        frames = np.concatenate([np.repeat(frames[:1], late, 0), frames])[: len(frames)]
    places = np.arange(round(len(frames) * Fraction(fps) / 25)) * 25 / Fraction(fps)
    if times is None:
        frames = frames[[min(int(place), len(frames) - 1) for place in places]]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "12", "threads": "1"})
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for number, pixels in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            if times is not None:
                picture.pts, picture.time_base = int(times[number]), Fraction(1, 1000)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(talk.waveform[None], format="fltp", layout="mono")
        sound.rate, sound.pts = RATE, round(sound_late * RATE)
        sound.time_base = Fraction(1, RATE)
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return path


def write_counter(path, count, *, fps=25, times=None):
    """Write pictures that carry their numbers, and a hum."""
    digits = (np.arange(count)[:, None] >> np.arange(8)) & 1
    columns = np.repeat(200 * digits + 20, 16, axis=1).astype(np.uint8)
    frames = np.broadcast_to(columns[:, None, :, None], (count, 64, 128, 3))
    time = np.arange(count * RATE // 25) / RATE
    hum = 0.1 * np.sin(2 * np.pi * 200 * time).astype(np.float32)
    return write_clip(path, Talk(frames, hum), fps=fps, times=times)


def counted(pixels):
    """Return the number that a picture carries."""
    return int(sum(1 << bit for bit in range(8) if pixels[32, 16 * bit + 8].mean() > 110))
