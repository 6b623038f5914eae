"""Where the generator is helped by a close-up: around the mouth, and around each eye."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from facevox.core.motion import Motion
from facevox.core.portrait.face_crop import FaceCrop
from facevox.models.face.lia.mean_flow import EYES as NUM_EYES
from facevox.models.face.lia.mean_flow import MOUTH as NUM_MOUTH
from facevox.models.face.lia.mean_flow import mouth_place, mouth_steps
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS, OTHER_NUMBERS, motion_of

Place = Float32[np.ndarray, " 3"]

_OPEN_MOUTH = (2.57, 0.13, 0.44, 0.34, -0.54, -0.25, 0.29, 0.0, 0.0)
"""Mean of the widest mouths that speech makes."""

_EYELIDS = 4  # column of the numbers of head and expression
_LID_STEPS = (0.25, 0.5, 0.75)
_EYE_CORNERS = ((33, 133), (263, 362))
_EYE_WINDOW = 1.1
_GAZE_X = 1  # column of the controls of the eyes


@dataclass(frozen=True, kw_only=True)
class Window:
    """Where a close-up looks.

    Attributes:
        place: x, y and half a side, in halves of the view from its middle.
        mirrored: Whether left is right in it: the left eye looks like a right one.
    """

    place: Place
    mirrored: bool = False


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of the face that has a close-up of its own.

    Attributes:
        name: Of its weights.
        second: What the face does in the second picture of it.
        columns: Of the generator's controls (`codes.flow_controls`) that move it.
        num_steps: Numbers of `steps`.
        steps: Those controls, and how far some of them lie above a few levels, since borders
            that move are no linear function of them.
        windows: Where it lies, from the landmarks of a photo [px] and the generator's square.
    """

    name: str
    second: Motion
    columns: slice
    num_steps: int
    steps: Callable[[Float[Tensor, "batch numbers"]], Float[Tensor, "batch steps"]]
    windows: Callable[[Float32[np.ndarray, "478 3"], FaceCrop], tuple[Window, ...]]

    def numbers(
        self, controls: Float[Tensor, "batch controls"], mirrored: bool
    ) -> Float[Tensor, "batch numbers"]:
        """Return the controls that move the region, as its window sees them."""
        found = controls[:, self.columns]
        if not mirrored:
            return found
        signs = found.new_ones(found.shape[1])
        signs[_GAZE_X] = -1
        return found * signs


def _mouth_windows(landmarks: np.ndarray, view: FaceCrop) -> tuple[Window, ...]:
    return (Window(place=mouth_place(landmarks, view)),)


def _eye_windows(landmarks: np.ndarray, view: FaceCrop) -> tuple[Window, ...]:
    matrix = view.matrix(2)
    found = []
    for number, corners in enumerate(_EYE_CORNERS):
        points = landmarks[list(corners), :2].astype(np.float64)
        outer, inner = (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T - 1
        half = _EYE_WINDOW * float(np.linalg.norm(outer - inner))
        place = np.array([*((outer + inner) / 2), half], np.float32)
        found.append(Window(place=place, mirrored=number == 1))
    return tuple(found)


def _eye_steps(eyes: Float[Tensor, "batch 5"]) -> Float[Tensor, "batch 8"]:
    lids = eyes[:, :1]
    return torch.cat([eyes, torch.relu(lids - lids.new_tensor(_LID_STEPS))], 1)


def _doing(mouth: np.ndarray, others: np.ndarray) -> Motion:
    return motion_of(mouth.astype(np.float32)[None], others.astype(np.float32)[None])


MOUTH = Region(
    name="mouth",
    second=_doing(np.array(_OPEN_MOUTH), np.zeros(OTHER_NUMBERS)),
    columns=slice(0, NUM_MOUTH),
    num_steps=int(mouth_steps(torch.zeros(1, NUM_MOUTH)).shape[1]),
    steps=mouth_steps,
    windows=_mouth_windows,
)
"""The photo with lips closed, and with the mouth wide open."""

EYES = Region(
    name="eyes",
    second=_doing(np.zeros(MOUTH_NUMBERS), np.eye(OTHER_NUMBERS)[_EYELIDS]),
    columns=slice(NUM_MOUTH, NUM_MOUTH + NUM_EYES),
    num_steps=NUM_EYES + len(_LID_STEPS),
    steps=_eye_steps,
    windows=_eye_windows,
)
"""The photo, and the photo with its eyes shut; lids, gaze, brows and smile move it."""

REGIONS = {region.name: region for region in (MOUTH, EYES)}
