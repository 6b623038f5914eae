"""Clips of talking faces -> batches for the sync expert and the joint training."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.portrait.face_crop import FaceCrop
from facevox.data.shards import Shards
from facevox.data.spoken_samples import SpokenSample, read_spoken
from facevox.data.talking_samples import TalkingClip, TalkingWindow, draw_window
from facevox.models.face.lia.mean_flow import mouth_place
from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.symbols import symbol_id
from facevox.models.speech.mel import MelSpectrogram

RENDERED, RENDERED_FOR_SYNC = 4, 5
"""Pictures of a window that are made in a step: at random places, or side by side so that the
sync expert can look at them."""


def open_clip(shards: Shards, number: int) -> TalkingClip:
    """Return a sample of a shard.

    Raises:
        DataError: If it is damaged or holds no talking face.
    """
    return TalkingClip(shards[number], shards.entries[number]["name"])


def to_pictures(
    pixels: UInt8[np.ndarray, "frames height width 3"], side: int
) -> Float[Tensor, "frames 3 side side"]:
    """Return pictures in [-1, 1] of the given side [px]."""
    values = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
    values = values / 127.5 - 1
    if values.shape[-1] == side:
        return values
    return functional.interpolate(
        values, (side, side), mode="bilinear", align_corners=False, antialias=True
    )


def sync_batch(
    clips: Sequence[TalkingClip],
    frames: int,
    side: int,
    generator: np.random.Generator,
    shaken: bool,
) -> dict[str, Tensor]:
    """Return windows of pictures and what is heard in them.

    Args:
        clips: One for each row.
        frames: Pictures of a window.
        side: Length of a side [px].
        generator: Source of the choice.
        shaken: Whether pictures are mirrored and lit otherwise by chance, and mels louder.

    Returns:
        `frames` (batch, 3, frames, side, side) in [-1, 1] and `mel` (batch, 80, 4 frames).
    """
    rows, mels = [], []
    for clip in clips:
        window = draw_window(clip, frames, generator)
        pictures, mel = to_pictures(window.pictures, side), torch.from_numpy(window.mel.copy())
        if shaken:
            if generator.random() < 0.5:
                pictures = pictures.flip(-1)
            gain, shift, louder = generator.normal(size=3) * (0.1, 0.1, 0.3)
            pictures = (pictures * float(np.exp(gain)) + float(shift)).clamp(-1, 1)
            mel = mel + float(louder)
        rows.append(pictures.transpose(0, 1))
        mels.append(mel)
    return {"frames": torch.stack(rows).contiguous(), "mel": torch.stack(mels)}


def joint_batch(
    shards: Shards,
    numbers: Sequence[int],
    frames: int,
    side: int,
    generator: np.random.Generator,
    consecutive: bool,
) -> dict[str, MatchaBatch | Tensor]:
    """Return whole utterances, a window of each, and a picture from elsewhere.

    Args:
        shards: Where the samples are.
        numbers: Which ones.
        frames: Pictures of a window.
        side: Length of a side [px].
        generator: Source of the choices.
        consecutive: Whether the pictures to be made lie side by side.

    Returns:
        `speech`, a `MatchaBatch` without voices; `source` (batch, 3, side, side); `place`
        (batch, 3), where its mouth lies; `frames`
        (batch, frames, 3, side, side); `mouth` (batch, frames, 7), its coefficients and the gap
        between the lips, and `found` (batch, frames), where they are known; `start` (batch,),
        the first picture on the timeline of the sound; `mel` (batch, 80, 4 frames) of the
        window; `rendered` (batch, pictures), which ones are to be made.

    Raises:
        DataError: If a sample is damaged, or has no text or no face.
    """
    windows, samples = [], []
    for number in numbers:
        members, name = shards[number], shards.entries[number]["name"]
        windows.append(draw_window(TalkingClip(members, name), frames, generator))
        samples.append(read_spoken(members, name))
    count = RENDERED_FOR_SYNC if consecutive else RENDERED
    return {
        "speech": collate_speech(samples),
        "place": torch.stack([mouth_place_of(w.source, w.source_landmarks) for w in windows]),
        "source": torch.cat([to_pictures(w.source[None], side) for w in windows]),
        "frames": torch.stack([to_pictures(w.pictures, side) for w in windows]),
        "mouth": torch.stack([_mouth_of(w) for w in windows]),
        "found": torch.stack([torch.from_numpy(w.found.copy()) for w in windows]),
        "start": torch.tensor([w.first for w in windows]),
        "mel": torch.stack([torch.from_numpy(w.mel.copy()) for w in windows]),
        "rendered": torch.stack(
            [_chosen(w, min(count, frames), generator, consecutive) for w in windows]
        ),
    }


def collate_speech(samples: Sequence[SpokenSample]) -> MatchaBatch:
    """Return utterances as a batch without voices: the face gives them."""
    front = MelSpectrogram()
    with torch.no_grad():
        mels = [front(torch.from_numpy(sample.speech.waveform)[None])[0] for sample in samples]
    ids = [torch.tensor([symbol_id(symbol) for symbol in s.symbols]) for s in samples]
    return MatchaBatch(
        ids=_padded(ids),
        id_lengths=torch.tensor([len(row) for row in ids]),
        tags=_padded([torch.tensor(sample.tags) for sample in samples]),
        durations=_padded([torch.from_numpy(sample.speech.durations) for sample in samples]),
        mel=_padded([mel.T for mel in mels]).transpose(1, 2).contiguous(),
        mel_lengths=torch.tensor([mel.shape[1] for mel in mels]),
        f0=_padded([torch.from_numpy(sample.speech.f0) for sample in samples]),
    )


def mouth_place_of(
    pixels: UInt8[np.ndarray, "height width 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> Float[Tensor, " 3"]:
    """Return where the mouth lies in a picture that is the view itself."""
    side = float(pixels.shape[0])
    return torch.from_numpy(mouth_place(landmarks, FaceCrop((side / 2, side / 2), side, 0.0)))


def _mouth_of(window: TalkingWindow) -> Float[Tensor, "frames 7"]:
    return torch.from_numpy(np.column_stack([window.mouth, window.lip_gap]).astype(np.float32))


def _chosen(
    window: TalkingWindow, count: int, generator: np.random.Generator, consecutive: bool
) -> Tensor:
    frames = len(window.pictures)
    if consecutive:
        start = int(generator.integers(frames - count + 1))
        return torch.arange(start, start + count)
    return torch.from_numpy(np.sort(generator.choice(frames, count, replace=False)))


def _padded(rows: Sequence[Tensor]) -> Tensor:
    return nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
