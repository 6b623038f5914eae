"""Close-ups of mouth and eyes, put where the generator has carried those of the photo.

The coarse scales of the generator, which no lips reach, say where each pixel of a frame lies in
the photo's own pose; there the windows of the close-ups are, and at the photo's own size their
pixels are taken from the photo and from the same photo with its mouth open or its eyes shut.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.processor import cpu_computes_in_bf16
from facevox.models.face.lia.photo_paste import Near, PhotoPaste
from facevox.models.face.lia.synthesis import Synthesis
from facevox.models.face.ttsf.close_up import FADE, CloseUp, second_share
from facevox.models.face.ttsf.close_up_regions import Window
from facevox.models.face.warp.face_frame import smoothstep
from facevox.nn.resampling import upsample_planes

Picture = UInt8[np.ndarray, "height width 3"]

_GRID = 64
"""Places both ways at which the pose is known."""

_REACH = 1.25
"""Half side of the part of the view in which a window is looked for, in windows."""

_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class CloseUpFrame:
    """What the close-ups of one frame are made of.

    Attributes:
        pose: How far away in the photo's own pose each place of the view lies, -1 to 1.
        fields: Of every window, channels last: `CloseUpFields` side by side.
    """

    pose: Float32[np.ndarray, "64 64 2"]
    fields: tuple[Float32[np.ndarray, "side side 8"], ...]


class CloseUps:
    """All close-ups of one portrait.

    Args:
        networks: By the name of their region.
        seconds: Second picture of each region, as large as the photo.
        paste: Of the photo.
        landmarks: Face mesh [px of the photo].
        view: The generator's square in the photo.
        rest: What the generator makes of the photo's own motion and closed lips.

    Raises:
        ValueError: If the lips reach every scale of the generator.
    """

    def __init__(
        self,
        networks: Mapping[str, CloseUp],
        seconds: Mapping[str, Picture],
        paste: PhotoPaste,
        landmarks: Float32[np.ndarray, "478 3"],
        view: FaceCrop,
        rest: Synthesis,
    ) -> None:
        if rest.coarse is None:
            raise ValueError("Close-ups need a generator with coarse scales that no lips reach.")
        self._windows = [
            WindowPaste(network, paste, seconds[name], view, window)
            for name, network in networks.items()
            for window in network.region.windows(landmarks, view)
        ]
        line = torch.linspace(-1, 1, paste.side)
        own = torch.stack(torch.meshgrid(line, line, indexing="ij")[::-1])
        away = rest.flow.permute(0, 3, 1, 2) - own
        small = functional.interpolate(away, (_GRID, _GRID), mode="area")
        self._bias = small - _movement(rest)

    @torch.inference_mode()
    def frames(
        self, made: Synthesis, controls: Float[Tensor, "batch controls"]
    ) -> list[CloseUpFrame]:
        """Return what the close-ups of some frames are made of.

        Args:
            made: By the generator.
            controls: Of the same frames (`codes.flow_controls`).
        """
        pose = (_movement(made) + self._bias).permute(0, 2, 3, 1).contiguous().numpy()
        fields = [window.fields(controls) for window in self._windows]
        return [
            CloseUpFrame(pose=row, fields=tuple(every[number] for every in fields))
            for number, row in enumerate(pose)
        ]

    def near(self, frame: CloseUpFrame) -> Sequence[Near]:
        """Return the windows of one frame that lie in the photo, at its own size."""
        made = (
            window.near(frame.pose, fields)
            for window, fields in zip(self._windows, frame.fields, strict=True)
        )
        return [near for near in made if near is not None]


class WindowPaste:
    """Finds one window of a portrait in every frame.

    Args:
        network: The close-up.
        paste: Of the photo.
        second: The second picture of the region, as large as the photo.
        view: The generator's square in the photo.
        window: Where the region lies.
    """

    @torch.no_grad()
    def __init__(
        self, network: CloseUp, paste: PhotoPaste, second: Picture, view: FaceCrop, window: Window
    ) -> None:
        self._network, self._paste, self._second = network, paste, second
        self._middle, self._half = window.place[:2], float(window.place[2])
        self._mirrored = window.mirrored
        matrix = view.matrix(paste.side)
        self._set_maps(matrix, np.array([-1 if window.mirrored else 1, 1]))
        columns = network.region.columns
        with _quick():
            pictures = (self._cut(picture, view) for picture in (paste.photo, second))
            self._maps = network.read(*pictures)
            self._rest = network.raw(self._maps, torch.zeros(1, columns.stop - columns.start))

    def fields(
        self, controls: Float[Tensor, "batch controls"]
    ) -> Float32[np.ndarray, "batch side side 8"]:
        """Return the fields of some frames, channels last: flows [px], share, tint [0 to 255]."""
        numbers = self._network.region.numbers(controls, self._mirrored)
        with _quick():
            found = self._network.fields(self._maps, numbers, self._rest)
        flows = torch.stack([found.first, found.second], 1)
        pixels = torch.einsum("ij,bfjyx->bfiyx", self._window_to_photo, flows).flatten(1, 2)
        layers = torch.cat([pixels, found.share, 127.5 * found.tint], 1)
        return layers.permute(0, 2, 3, 1).contiguous().numpy()

    def near(
        self,
        pose: Float32[np.ndarray, "64 64 2"],
        fields: Float32[np.ndarray, "side side 8"],
    ) -> Near | None:
        """Return the window of one frame at the photo's own size; None if it lies outside.

        Args:
            pose: Of `CloseUpFrame`.
            fields: Of this window.
        """
        place = self._place(pose)
        if any(part.stop <= part.start for part in place):
            return None
        seen = np.ascontiguousarray(self._paste.seen[place])
        moved = _enlarged(pose, cv2.transform(seen, self._to_grid))
        # in the photo's own pose, -1 to 1 over the view; then -1 to 1 over the window
        at = cv2.transform(seen, self._to_view) + moved
        inside = cv2.transform(at, self._to_window)
        edge = 1 - np.maximum(np.abs(inside[..., 0]), np.abs(inside[..., 1]))
        weight = smoothstep(edge, 0.0, FADE).astype(np.float32)
        cells = (inside + 1) * (len(fields) / 2) - 0.5
        flows, rest = (_enlarged(part, cells) for part in (fields[..., :4], fields[..., 4:]))
        here = cv2.transform(at, self._to_photo)
        picture = cv2.remap(
            self._second,
            here + flows[..., 2:],
            None,
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        share = second_share(torch.from_numpy(rest[..., 0])).numpy()
        return Near(
            place=place,
            moved=here + flows[..., :2] - self._paste.pixels[place],
            weight=weight,
            picture=picture + rest[..., 1:],
            share=weight * share,
        )

    def _cut(self, picture: Picture, view: FaceCrop) -> Float[Tensor, "1 3 side side"]:
        """Return the window of a picture as the network takes it."""
        size, side = self._half * view.size, self._network.config.side
        along = np.array([np.cos(view.angle), np.sin(view.angle)])
        # a FaceCrop counts its pixels from their corners
        shift = (along + np.array([-along[1], along[0]])) * (size / side / 2)
        x, y = self._on_photo(self._middle) + shift
        cut = FaceCrop((float(x), float(y)), size, view.angle).cut(picture, side)
        found = torch.from_numpy(cut * 2 - 1).permute(2, 0, 1)[None]
        return found.flip(-1) if self._mirrored else found

    def _place(self, pose: Float32[np.ndarray, "64 64 2"]) -> tuple[slice, slice]:
        """Return the part of the photo in which the window is: heads turn."""
        where = self._middle
        for _ in range(_ROUNDS):
            column, row = np.clip((where + 1) * (_GRID / 2), 0, _GRID - 1).astype(int)
            where = self._middle - pose[row, column]
        reach = _REACH * self._half * np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)
        corners = self._on_photo(where + reach)
        x0, y0, x1, y1 = self._paste.box
        low = np.clip(np.floor(corners.min(0)), (x0, y0), (x1, y1)).astype(int) - (x0, y0)
        high = np.clip(np.ceil(corners.max(0)) + 1, (x0, y0), (x1, y1)).astype(int) - (x0, y0)
        return slice(low[1], high[1]), slice(low[0], high[0])

    def _set_maps(self, matrix: Float[np.ndarray, "2 3"], signs: np.ndarray) -> None:
        """Make the affine maps between pixels of the view, places, window and photo."""
        side = self._paste.side
        grid, own = _GRID / side, 2 / (side - 1)
        self._to_grid = _affine(np.eye(2) * grid, np.full(2, grid / 2 - 0.5))
        self._to_view = _affine(np.eye(2) * own, np.full(2, -1.0))
        unit = np.diag(signs) / self._half
        self._to_window = _affine(unit, -unit @ self._middle)
        pixel = matrix[:, :2] * (side / 2)
        corner = matrix[:, :2] @ np.full(2, side / 2 - 0.5) + matrix[:, 2]
        self._to_photo = _affine(pixel, corner)
        window = pixel @ np.diag(signs) * self._half
        self._window_to_photo = torch.from_numpy(window.astype(np.float32))

    def _on_photo(self, at: np.ndarray) -> np.ndarray:
        """Return pixels of the photo for places that are -1 to 1 over the view."""
        return at @ self._to_photo[:, :2].T + self._to_photo[:, 2]


def _quick() -> torch.autocast:
    """Return a context in which products are in bfloat16 where the machine computes in it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=cpu_computes_in_bf16())


def _affine(turn: np.ndarray, shift: np.ndarray) -> Float32[np.ndarray, "2 3"]:
    return np.column_stack([turn, shift]).astype(np.float32)


def _movement(made: Synthesis) -> Float[Tensor, "batch 2 64 64"]:
    """Return the movement of the scales that no lips reach."""
    assert made.coarse is not None
    x = made.coarse
    while x.shape[-1] < _GRID:
        x = upsample_planes(x)
    moved = torch.tanh(x)
    if moved.shape[-1] > _GRID:
        moved = functional.interpolate(moved, (_GRID, _GRID), mode="area")
    return moved


def _enlarged(layers: np.ndarray, cells: np.ndarray) -> np.ndarray:
    return cv2.remap(
        np.ascontiguousarray(layers),
        cells,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
