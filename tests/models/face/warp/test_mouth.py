import numpy as np
import pytest
from skimage.data import astronaut

from facevox.core.portrait.reader import read_portrait
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.expression import Expression
from facevox.models.face.warp.face_frame import fit_face_frame
from facevox.models.face.warp.head import Head, HeadPose
from facevox.models.face.warp.lips import MIDDLE
from facevox.models.face.warp.mouth import Mouth, MouthPose
from facevox.models.face.warp.rest import rest_of
from facevox.models.face.warp.slit import find_slit
from facevox.models.face.warp.stage import set_stage

STILL = HeadPose(yaw=0.0, pitch=0.0, roll=0.0, breath=0.0)


@pytest.fixture(scope="module")
def mouth() -> Mouth:
    basis = MouthBasis.load()
    portrait = read_portrait(astronaut())
    stage = set_stage(portrait, fit_face_frame(portrait.landmarks, basis.neutral).iod, None)
    frame = fit_face_frame(stage.landmarks, basis.neutral)
    slit = find_slit(stage.crop, stage.landmarks, frame)
    smile, relaxation = rest_of(stage.landmarks, slit, frame, basis)
    expression = Expression(stage.landmarks, slit, frame, basis, smile, relaxation, stage.lattice)
    head = Head(stage.landmarks, frame, stage.lattice, open_bottom=True)
    return Mouth(stage, expression, head)


def pose(seed: int, lip_gap: float, **channels: float) -> MouthPose:
    rng = np.random.default_rng(seed)
    return MouthPose(
        mouth=rng.normal(size=6).astype(np.float32),
        lip_gap=lip_gap,
        tongue=0.0,
        lip_roll=channels.get("lip_roll", 0.0),
        smile=channels.get("smile", 0.0),
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lip_gap", [0.0, 0.03, 0.22])
def test_lips_open_as_far_as_commanded_whatever_the_mouth_does(mouth, seed, lip_gap) -> None:
    for smile in (-1.0, 0.0, 1.0):
        state = mouth.pose(pose(seed, lip_gap, smile=smile), STILL)
        gap = (state.lips.lower - state.lips.upper) @ mouth.frame.down / mouth.frame.iod
        assert gap[len(gap) // 2] == pytest.approx(lip_gap, abs=0.004)
        if lip_gap == 0.0:
            assert np.abs(gap).max() < 0.008


def test_the_sheets_bring_each_lip_to_its_edge(mouth) -> None:
    state = mouth.pose(pose(1, 0.2), STILL)
    middle = len(state.lips.upper) // 2
    for line, sheet, source in (
        (state.lips.upper, state.upper, mouth.slit.upper),
        (state.lips.lower, state.lower, mouth.slit.lower),
    ):
        back = mouth.block.sample(sheet, line[None, middle : middle + 1])[0, 0]
        assert np.abs(line[middle] + back - source[MIDDLE + 1]).max() < 0.03 * mouth.frame.iod


def test_a_tucked_lip_hides_behind_the_same_edge(mouth) -> None:
    plain, tucked = (mouth.pose(pose(2, 0.04, lip_roll=roll), STILL) for roll in (0.0, 1.0))
    assert np.array_equal(plain.lips.lower, tucked.lips.lower)
    middle = plain.lips.lower[None, 20:21]
    deeper = mouth.block.sample(tucked.lower, middle) - mouth.block.sample(plain.lower, middle)
    assert deeper[0, 0] @ mouth.frame.down > 0.03 * mouth.frame.iod


def test_the_chin_sinks_with_the_jaw(mouth) -> None:
    jaw = np.zeros(6, np.float32)
    jaw[0] = 1.5
    opened = MouthPose(mouth=jaw, lip_gap=0.2, tongue=0.0, lip_roll=0.0, smile=0.0)
    assert mouth.pose(opened, STILL).jaw_drop > 0.05
