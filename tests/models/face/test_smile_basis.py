import numpy as np
import pytest

from facevox.core.errors import CheckpointError
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.smile_basis import SmileBasis, symmetric


def test_a_neutral_face_has_hardly_smiled_and_a_smile_is_seen() -> None:
    mouth, smile = MouthBasis.load(), SmileBasis.load()
    at_rest = smile.strength(smile.movement(mouth.neutral))
    smiling = smile.strength(smile.movement(mouth.neutral + smile.smile))
    assert at_rest < 0.25
    assert smiling > at_rest + 0.5


def test_the_smile_is_symmetric_and_widens_the_mouth() -> None:
    mouth, smile = MouthBasis.load(), SmileBasis.load()
    assert np.allclose(symmetric(smile.smile, mouth.mirror), smile.smile, atol=1e-3)
    assert smile.smile[291, 0] > 0.03
    assert smile.smile[291, 1] < -0.03


def test_absent_weights_are_named(tmp_path) -> None:
    with pytest.raises(CheckpointError, match="no weights"):
        SmileBasis.load(tmp_path / "absent.safetensors")
