"""FVD: how far generated videos are from recordings, motion included.

Traps: two ports of I3D with different weights are called by one name; clips of 16 frames and
of all frames differ; so do frame rates, [0, 1] and [-1, 1], whole frames and face crops; with
fewer than 401 videos the covariance of 400 scores is singular and the number says little.

The clip is drawn while looking, by name, not when numbers are made, by seed: I3D takes about
a second a clip on a processor, and of all clips of a video only one is used.

Reference:
    Unterthiner et al., FVD: A new Metric for Video Generation, 2019.
    Skorokhodov et al., StyleGAN-V, CVPR 2022 (protocol of the primary column).
"""

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import InputError
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    NotMeasured,
    Observation,
    Result,
    Seen,
)
from facevox.evaluation.metrics.frechet import distance_of_gaussians, gaussian_of, rank_problem
from facevox.evaluation.metrics.two_sets import observe_both, two_sets
from facevox.evaluation.signals.face_square import crop_square, face_square

FPS = 25
LENGTH = 16
"""Frames in a clip that the judge sees."""

SIDE = 224
"""Side of its pictures [px]."""

VARIANTS = {"StyleGAN-V": "i3d-stylegan-v", "pytorch-i3d": "i3d-kinetics"}
"""Name of the port of I3D -> name of the judge."""


def windows(
    frames: Iterable[UInt8[np.ndarray, "h w 3"]], length: int = LENGTH
) -> Iterator[UInt8[np.ndarray, "length h w 3"]]:
    """Cut frames into clips that follow one another; a rest is dropped."""
    source = iter(frames)
    while len(clip := list(islice(source, length))) == length:
        yield np.stack(clip)


def shrink_and_crop(
    clip: UInt8[np.ndarray, "t h w 3"],
) -> Float32[np.ndarray, "3 t 224 224"]:
    """Bring a clip to what I3D sees: shorter side to 224 px, centre, [-1, 1].

    Bilinear between pixel centres and without a low pass, as StyleGAN-V's evaluation does.
    """
    import torch
    from torch.nn.functional import interpolate

    height, width = clip.shape[1:3]
    scale = SIDE / min(height, width)
    size = [
        SIDE if side == min(height, width) else math.ceil(side * scale) for side in (height, width)
    ]
    pictures = torch.from_numpy(clip).permute(3, 0, 1, 2).float().div_(255)
    pictures = interpolate(pictures, size=size, mode="bilinear", align_corners=False)
    top, left = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    return (pictures[..., top : top + SIDE, left : left + SIDE] * 2 - 1).numpy()


def draw_one(
    clips: Iterable[UInt8[np.ndarray, "t h w 3"]], video: str
) -> UInt8[np.ndarray, "t h w 3"] | None:
    """Return one of the clips of a video at random, holding no more than two; None of none.

    Which one depends on the name of the video alone, so that it is the same in every run.
    """
    generator = np.random.default_rng(zlib.crc32(video.encode()))
    chosen = None
    for seen, clip in enumerate(clips, start=1):
        if generator.integers(seen) == 0:
            chosen = clip
    return chosen


class Fvd:
    """Frechet distance of I3D scores.

    Args:
        variant: Which port of I3D; a key of `VARIANTS`.
        face: Look at the face square instead of the whole frame.
    """

    version = 1

    def __init__(self, variant: str = "StyleGAN-V", *, face: bool = False) -> None:
        self.judges = (VARIANTS[variant],)
        self.name = f"fvd-{variant.lower()}" + ("-face" if face else "")
        self.uses_landmarks = face
        self._face = face
        shown = "face square (1.5 x the landmarks' box)" if face else "whole frame"
        self._figure = f"FVD ({variant}{', face' if face else ''})"
        self.figures = (
            Figure(
                name=self._figure,
                unit="",
                better="lower",
                protocol=f"I3D as {variant} published it, 400 scores; {shown}, {FPS} fps, shorter "
                f"side {SIDE} px bilinear, centre, [-1, 1]; clips of {LENGTH} frames that do not "
                "overlap, one of each video, drawn by its name; as many recordings as generated. "
                "Biased upwards for few videos, so without an interval.",
                digits=1,
            ),
        )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the scores of one clip of a video and of one of its recording.

        Raises:
            InputError: If the video is shorter than a clip, or no face is seen where one must.
            MissingPiece: If the judge is not here.
        """
        return observe_both(media, self.name, self._features)

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return FVD, or why there is none."""
        sets = two_sets(seen, seed=seed)
        if isinstance(sets, NotMeasured):
            return {self._figure: sets}
        sides = [
            np.concatenate(list(side.values())) if side else np.zeros((0, 1))
            for side in (sets.made, sets.recorded)
        ]
        count = min(map(len, sides))
        if problem := rank_problem([count, count], sides[0].shape[1], of="videos"):
            return {self._figure: NotMeasured(reason=problem)}
        generator = np.random.default_rng(seed)
        drawn = [side[generator.permutation(len(side))[:count]] for side in sides]
        value = distance_of_gaussians(*(gaussian_of([side]) for side in drawn))
        return {self._figure: Estimate(value=value, count=count, of="videos", note=sets.note)}

    def _features(self, media: ClipMedia) -> Float32[np.ndarray, "1 dim"]:
        import torch

        judge = media.judges.load(self.judges[0])
        frames = media.frames(fps=FPS)
        if self._face:
            square = face_square(media.landmarks)
            frames = (crop_square(pixels, square) for pixels in frames)
        clip = draw_one(windows(frames), media.clip.video.stem)
        if clip is None:
            raise InputError(
                f"the video is shorter than the {LENGTH} frames at {FPS} fps that FVD looks at."
            )
        return judge.features(torch.from_numpy(shrink_and_crop(clip))[None])
