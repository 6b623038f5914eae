"""What the ablations of the talking face are compared by, on clips that were held out.

The pictures of a clip are made from one of its pictures and what is said in it: lips from the
audio mapper, motion drawn by the sampler.  Judges then look at these pictures alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from facevox.core.portrait.head_pose import estimate_head_poses
from facevox.data.shards import Shards
from facevox.data.spoken_samples import read_spoken
from facevox.data.talking_samples import TalkingClip
from facevox.evaluation.judges.landmarks import LandmarkTracker
from facevox.models.face.mouth_basis import (
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    MouthBasis,
    register,
)
from facevox.models.face.ttsf.sync_expert import SyncExpert
from facevox.recipes.talking_batches import collate_speech, mouth_place_of, to_pictures
from facevox.recipes.ttsf_network import JointNetwork

REACH = 15
"""Offsets that are tried on either side [frames], as for LSE."""

_AT_ONCE = 8
_MOST_LAG = 5
_LEAST_SEEN = 0.5


@dataclass(frozen=True, kw_only=True)
class HeldClip:
    """One clip that was made again.

    Attributes:
        made: Pictures in [-1, 1].
        mel: Log-mel of these pictures.
        lip_gap: Between the inner lips in the recording [IOD].
        head_pose: Yaw, pitch and roll in the recording [deg].
        voices: What the voice is given of two pictures of the clip, of unit length.
        speaker: Who speaks.
    """

    made: Float[Tensor, "frames 3 side side"]
    mel: Float[Tensor, "80 steps"]
    lip_gap: Float32[np.ndarray, " frames"]
    head_pose: Float32[np.ndarray, "frames 3"]
    voices: Float[Tensor, "2 dim"]
    speaker: str


@torch.no_grad()
def make_again(network: JointNetwork, shards: Shards, number: int, most: int) -> HeldClip:
    """Return a clip with pictures made from its middle one, its sound, and drawn motion.

    Args:
        network: In evaluation mode.
        shards: Where the clip is.
        number: Which one; also the seed of the motion.
        most: Most pictures.

    Raises:
        DataError: If it is damaged.
    """
    members, name = shards[number], shards.entries[number]["name"]
    clip = TalkingClip(members, name)
    count = min(len(clip), most)
    side = network.model.generator.size
    first, middle = (to_pictures(clip.picture(k)[None], side) for k in (0, len(clip) // 2))
    speech = collate_speech([read_spoken(members, name)])
    voiced, given = network.voiced(speech, middle)
    other, _ = network.voiced(speech, first)
    f_lip = network.lips(voiced, torch.tensor([clip.first]), count)
    place = mouth_place_of(clip.picture(len(clip) // 2), clip.landmarks[len(clip) // 2])[None]
    f_m = network.drawn(given, f_lip, [number])
    pieces = [
        network.pictures(given, f_m[:, rows], f_lip[:, rows], place)[0]
        for rows in (slice(k, k + _AT_ONCE) for k in range(0, count, _AT_ONCE))
    ]
    steps = slice(4 * clip.first, 4 * (clip.first + count))
    assert voiced.speaker_embedding is not None
    assert other.speaker_embedding is not None
    return HeldClip(
        made=torch.cat(pieces).clamp(-1, 1),
        mel=torch.from_numpy(clip.mel[:, steps].copy()),
        lip_gap=clip.lip_gap[:count].astype(np.float32),
        head_pose=clip.head_pose[:count].astype(np.float32),
        voices=torch.cat([voiced.speaker_embedding, other.speaker_embedding]),
        speaker=clip.speaker,
    )


def sync_score(
    seen: Float[Tensor, "windows dim"], heard: Float[Tensor, "windows dim"]
) -> tuple[float, int]:
    """Return confidence and offset [frames], as LSE-C but with 1 - cosine as distance.

    Args:
        seen: Embeddings of pictures, window by window.
        heard: Embeddings of the sound.

    Reference:
        Chung and Zisserman, 2016: median less minimum of the mean distances of all offsets.
    """
    count, reach = len(seen), min(REACH, len(seen) - 2)
    means = []
    for offset in range(-reach, reach + 1):
        rows = slice(max(0, -offset), min(count, count - offset))
        shifted = slice(rows.start + offset, rows.stop + offset)
        means.append(float(1 - (seen[rows] * heard[shifted]).sum(1).mean()))
    best = int(np.argmin(means))
    return float(np.median(means) - means[best]), best - reach


def measure_sync(expert: SyncExpert, clips: Sequence[HeldClip]) -> dict[str, float]:
    """Return confidence, and the share of clips whose offset is at most a frame."""
    scores = []
    for clip in clips:
        with torch.no_grad():
            seen = expert.embed_frames(clip.made.transpose(0, 1)[None])[0]
            heard = expert.embed_mel(clip.mel[None])[0]
        scores.append(sync_score(seen, heard))
    confidence, offset = np.array(scores).T
    return {
        "sync confidence": float(confidence.mean()),
        "offset within 1": float((np.abs(offset) <= 1).mean()),
    }


def measure_faces(tracker: LandmarkTracker, clips: Sequence[HeldClip]) -> dict[str, float]:
    """Return how lips follow the recording's and how the head moves, by the landmarks judge.

    Returns:
        `lip correlation`: of the gap between the lips with that of the recording; `lag within
        1`: share of clips in which it is highest at most one picture early or late; `DIV`:
        deviation of yaw, pitch and roll over a clip [deg], mean of the three; `DIV recorded`
        the same of the recordings.  NaN where no face is seen in half of the pictures.
    """
    rows = []
    for clip in clips:
        shown = ((clip.made + 1) * 127.5).permute(0, 2, 3, 1).round().byte().numpy()
        landmarks = tracker.track(iter(shown))
        seen = np.isfinite(landmarks[:, 0, 0])
        recorded = float(clip.head_pose.std(0).mean())
        if seen.mean() < _LEAST_SEEN:
            rows.append([np.nan, np.nan, np.nan, recorded])
            continue
        poses = estimate_head_poses(landmarks[seen])
        gaps = _gaps(landmarks[seen]), clip.lip_gap[seen]
        turned = float(poses.std(0).mean())
        rows.append([_correlation(*gaps), float(abs(_lag(*gaps)) <= 1), turned, recorded])
    columns = np.array(rows, np.float64).T
    names = ("lip correlation", "lag within 1", "DIV", "DIV recorded")
    return {
        name: float(np.nanmean(column)) if np.isfinite(column).any() else float("nan")
        for name, column in zip(names, columns, strict=True)
    }


def measure_voices(clips: Sequence[HeldClip]) -> dict[str, float]:
    """Return 1 - cosine of what two pictures of a clip give the voice, and those of speakers.

    The second is NaN if there is only one speaker.
    """
    inside = [float(1 - (clip.voices[0] * clip.voices[1]).sum()) for clip in clips]
    between = [
        float(1 - (one.voices[0] * other.voices[0]).sum())
        for place, one in enumerate(clips)
        for other in clips[:place]
        if one.speaker != other.speaker
    ]
    return {
        "voice within a clip": float(np.mean(inside)),
        "voice between speakers": float(np.mean(between)) if between else float("nan"),
    }


@torch.no_grad()
def measure_smiles(network: JointNetwork, folder: Path) -> dict[str, float]:
    """Return 1 - cosine of the voices of people neutral and smiling, and of different people.

    Args:
        network: In evaluation mode.
        folder: Of `facevox.recipes.acted_portraits`, with `real/pairs.npy`.
    """
    pairs = np.load(folder / "real" / "pairs.npy", mmap_mode="r", allow_pickle=False)
    side = network.model.generator.size
    voices = []
    for expression in range(2):
        rows = []
        for start in range(0, len(pairs), _AT_ONCE):
            pixels = np.array(pairs[start : start + _AT_ONCE, expression])
            rows.append(network.voice_of(to_pictures(pixels, side)))
        voices.append(torch.cat(rows))
    cosine = functional.normalize(voices[0], dim=-1) @ functional.normalize(voices[1], dim=-1).T
    same = torch.eye(len(cosine), dtype=torch.bool)
    found = {"smile: same person": float(1 - cosine[same].mean())}
    if len(cosine) > 1:
        found["smile: others"] = float(1 - cosine[~same].mean())
    return found


def _gaps(landmarks: Float32[np.ndarray, "frames 478 3"]) -> np.ndarray:
    faces = register(landmarks.astype(np.float64), MouthBasis.load().neutral)
    return faces[:, LOWER_LIP_INNER, 1] - faces[:, UPPER_LIP_INNER, 1]


def _lag(one: np.ndarray, other: np.ndarray) -> int:
    """Return by how many pictures `one` is late against `other`."""
    reach = min(_MOST_LAG, len(one) - 3)
    found = [
        _correlation(one[max(0, lag) : len(one) + min(0, lag)],
                     other[max(0, -lag) : len(other) + min(0, -lag)])
        for lag in range(-reach, reach + 1)
    ]  # fmt: skip
    return int(np.argmax(np.nan_to_num(found, nan=-1.0))) - reach


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if one.std() < 1e-6 or other.std() < 1e-6:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
