"""Fit what a control does to the average face: the start of the generator's mean flows.

    python -m facevox.recipes.acted_portraits --data ../shared/data --out FACES

calls this.  Photos are moved at mouth and eyes alone, the head still; the flow of every place
is explained linearly by the controls.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32, Float64

from facevox.core.errors import FacevoxError
from facevox.core.portrait.reader import read_portrait
from facevox.data.acted_portraits import act_flows, draw_others
from facevox.data.portraits import LabelledPortrait, hold_out
from facevox.models.face.lia.mean_flow import EYES, MOUTH
from facevox.models.face.ttsf.codes import MotionCode, MouthCode

_FIELDS = MOUTH + EYES
_STILL = 4
"""First of the other numbers that moves eyes or expression, not the head."""

_SAMPLES, _RIDGE = 14, 1.0
_AT_REST = 3
_SIDE = 256


def fit_mean_flow(
    portraits: Sequence[LabelledPortrait],
    mouths: Float32[np.ndarray, "pool 9"],
    say: Callable[[str], None],
) -> Float32[np.ndarray, "controls 2 cells cells"]:
    """Return movement per unit of each control, in halves of the picture's side.

    Args:
        portraits: Photos; every second one that is not held out is used.
        mouths: Mouths of speech to draw from.
        say: Told who is left out.

    Raises:
        FacevoxError: If none of the photos can be used.
    """
    size = _FIELDS + 1
    generator = np.random.default_rng(3)
    squares: Float64[np.ndarray, "size size"] = np.zeros((size, size))
    products: np.ndarray | None = None
    for row in hold_out(portraits)[0][::2]:
        others = draw_others(_SAMPLES, generator)
        others[:, :_STILL] = 0.0
        mouth = mouths[generator.integers(0, len(mouths), _SAMPLES)].copy()
        # some move the mouth alone, some the eyes alone
        mouth[:_AT_REST] = 0.0
        others[_AT_REST : _SAMPLES // 2 + 1] = 0.0
        try:
            flow = act_flows(read_portrait(row.path), mouth, others, _SIDE)
        except FacevoxError as error:
            say(f"{row.person} is left out: {error}")
            continue
        inputs = _inputs(mouth, others)
        squares += inputs.T @ inputs
        part = inputs.T @ flow.reshape(len(flow), -1).astype(np.float64)
        products = part if products is None else products + part
        cells = flow.shape[1]
    if products is None:
        raise FacevoxError("None of the photos can be moved; give others.")
    found = np.linalg.solve(squares + _RIDGE * np.eye(size), products)[:_FIELDS]
    fields = found.reshape(_FIELDS, cells, cells, 2).transpose(0, 3, 1, 2)
    return (fields * (2 / _SIDE)).astype(np.float32)


def _inputs(
    mouth: Float32[np.ndarray, "samples 9"], others: Float32[np.ndarray, "samples 9"]
) -> Float64[np.ndarray, "samples size"]:
    """Return the controls, and a one for what does not depend on them."""
    shape = mouth / MouthCode(1).units.numpy()
    face = (others / MotionCode(1).units.numpy())[:, -EYES:]
    return np.concatenate([shape, face, np.ones((len(mouth), 1))], 1).astype(np.float64)
