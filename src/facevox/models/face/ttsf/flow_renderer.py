"""Making a portrait speak by the flow generator: the same contract as the warp renderer's."""

import itertools
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.core.prefetch import ordered_map
from facevox.models.face.lia.animator import FaceAnimator
from facevox.models.face.lia.generator import Source
from facevox.models.face.lia.mean_flow import mouth_place
from facevox.models.face.lia.photo_paste import PhotoPaste
from facevox.models.face.lia.view import view_of
from facevox.models.face.ttsf.close_up import CloseUp
from facevox.models.face.ttsf.close_up_paste import CloseUps
from facevox.models.face.ttsf.close_up_regions import REGIONS
from facevox.models.face.ttsf.scene_motion import SceneFeatures, features_of
from facevox.models.face.ttsf.talking_head import TalkingHead
from facevox.models.face.warp.renderer import WarpRenderer

Frame = UInt8[np.ndarray, "height width 3"]

_MOST_WORKERS = 4
_FIRST_CHUNK, _CHUNK, _CHUNK_BYTES = 2, 8, 16_000_000
"""Pictures that a thread makes at a time, and how large these may be together."""

_COARSER = 4
_CAST = 0.025
"""Reach of the colour cast, over the side of the view."""


class FlowRenderer:
    """Renders the frames of one portrait.

    Every frame depends on its own row alone, so any split of a motion gives the same pictures.

    Args:
        head: The networks.
        portrait: The photo and its face.
        size: Longest side of the pictures [px]; None keeps the photo's, up to 4096.
        close_ups: By region: make mouth or eyes pixel by pixel; without, the generator does.

    Raises:
        InputError: If `size` is out of range.
    """

    def __init__(
        self,
        head: TalkingHead,
        portrait: Portrait,
        *,
        size: int | None = None,
        close_ups: Mapping[str, CloseUp] | None = None,
    ) -> None:
        self._head, self._landmarks = head, portrait.landmarks
        # a generator that was shown closed lips cannot close those of a photo that shows teeth
        warped = WarpRenderer(portrait, size=size)
        self._photo = next(warped.frames(Motion.rest(1)))
        self._networks = close_ups or {}
        self._seconds = {
            name: next(warped.frames(network.region.second))
            for name, network in self._networks.items()
        }
        self._factor = self._photo.shape[1] / portrait.pixels.shape[1]
        self.source = read_source(head, self._photo, self._scaled_landmarks())
        place = mouth_place(portrait.landmarks, view_of(portrait.landmarks))
        self.place = torch.from_numpy(place)

    def frames(self, motion: Motion) -> Iterator[Frame]:
        """Yield one picture per row of a motion.

        Args:
            motion: What the face does, relative to the photo.
        """
        return self.render(features_of(self._head, self.source.parts.alpha, self.place, motion))

    def render(self, features: SceneFeatures) -> Iterator[Frame]:
        """Yield one picture per row of features.

        Threads make a few pictures each from start to end: that takes a quarter less of the
        processor than sharing each product among them.
        """
        # made before there are threads that would make them twice
        size, _ = self._photo.nbytes, (self._paste, self._animator, self._close_up)
        step = int(np.clip(_CHUNK_BYTES // size, 1, _CHUNK))
        # the first picture does not wait for a whole chunk
        borders = [0, *range(min(_FIRST_CHUNK, step), len(features), step), len(features)]
        chunks = (features[start:end] for start, end in itertools.pairwise(borders) if end > start)
        threads = torch.get_num_threads()
        workers = min(threads, _MOST_WORKERS)
        share = partial(torch.set_num_threads, threads // workers)
        try:
            made = ordered_map(self._pictures, chunks, workers=workers, initializer=share)
            yield from itertools.chain.from_iterable(made)
        finally:
            # threads that others start later look at what was set last
            torch.set_num_threads(threads)

    def _pictures(self, features: SceneFeatures) -> list[Frame]:
        paste, close_up = self._paste, self._close_up
        pictures = []
        for flow, mask, painted, picture, *frames in self._made(features):
            near = close_up.near(frames[0]) if close_up is not None else ()
            pictures.append(paste(flow, mask, in_the_photos_colours(painted, picture, mask), near))
        return pictures

    @cached_property
    def _paste(self) -> PhotoPaste:
        """Made when the first picture is asked for: sound alone needs none."""
        view = view_of(self._scaled_landmarks())
        return PhotoPaste(self._photo, view, self._head.config.generator.size)

    @cached_property
    def _close_up(self) -> CloseUps | None:
        """Made with the first picture; it needs what the generator makes of the photo at rest."""
        if not self._networks:
            return None
        at_rest = features_of(self._head, self.source.parts.alpha, self.place, Motion.rest(1))
        made = self._animator.syntheses(at_rest.f_m, at_rest.f_lip, at_rest.controls)
        landmarks = self._scaled_landmarks()
        view = view_of(landmarks)
        return CloseUps(self._networks, self._seconds, self._paste, landmarks, view, next(made))

    def _scaled_landmarks(self) -> Float32[np.ndarray, "478 3"]:
        return (self._landmarks * self._factor).astype(np.float32)

    @cached_property
    def _animator(self) -> FaceAnimator:
        windows = set(self._networks) >= set(REGIONS)
        return FaceAnimator(self._head.generator, self.source.pictures, windows=windows)

    def _made(self, features: SceneFeatures) -> Iterator[tuple[Any, ...]]:
        """Yield flow, mask, paint and whole picture of each frame, and its `CloseUpFrame`."""
        close_up, done = self._close_up, 0
        for made in self._animator.syntheses(features.f_m, features.f_lip, features.controls):
            painted, picture = (
                value.permute(0, 2, 3, 1).numpy() for value in (made.painted, made.picture)
            )
            mask = made.mask[:, 0].numpy()
            layers: list[Any] = [made.flow.numpy(), mask, painted, picture]
            if close_up is not None:
                rows = slice(done, done := done + len(mask))
                layers.append(close_up.frames(made, features.controls[rows]))
            yield from zip(*layers, strict=True)


def in_the_photos_colours(
    painted: Float32[np.ndarray, "side side 3"],
    picture: Float32[np.ndarray, "side side 3"],
    mask: Float32[np.ndarray, "side side"],
) -> Float32[np.ndarray, "side side 3"]:
    """Return the paint with the cast that it has against the photo taken away.

    Where the photo shows itself the cast is known; from there it is carried into what is
    painted.

    Args:
        painted: Paint of the whole view.
        picture: Photo and paint, blended by the mask.
        mask: How much of each pixel is the photo's.

    Reference:
        Knutsson and Westin, Normalized and differential convolution, CVPR 1993.
    """
    # picture - painted = mask x (photo - painted)
    known = np.dstack([picture - painted, mask])
    # so smooth a cast is found on a fraction of the pixels
    side = max(len(mask) // _COARSER, 1)
    small = cv2.resize(known, (side, side), interpolation=cv2.INTER_AREA)
    spread = cv2.GaussianBlur(small, (0, 0), _CAST * side)
    cast = spread[..., :3] / np.maximum(spread[..., 3:], 1e-3)
    return painted + cv2.resize(cast, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)


def read_source(
    head: TalkingHead,
    photo: UInt8[np.ndarray, "height width 3"],
    landmarks: Float32[np.ndarray, "478 3"],
) -> Source:
    """Return identity, motion and feature maps of a face in a photo.

    Args:
        head: The networks.
        photo: RGB.
        landmarks: Its face mesh [px].
    """
    side = head.config.generator.size
    view = view_of(landmarks).cut(photo, side)
    picture = torch.from_numpy(view * 2 - 1).permute(2, 0, 1)[None]
    with torch.inference_mode():
        return head.generator.read(picture.contiguous(memory_format=torch.channels_last))
