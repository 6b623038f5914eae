"""Codes of mouth and motion: numbers there and back, each control on its own."""

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
import torch

from facevox.core.motion import Motion
from facevox.models.face.lia.mean_flow import NUM_CONTROLS
from facevox.models.face.ttsf.codes import (
    MOUTH_CHANNELS,
    OTHER_CHANNELS,
    MotionCode,
    MouthCode,
    flow_controls,
    motion_of,
    numbers_of,
)


def test_a_motion_is_taken_apart_and_put_together():
    names = {field.name for field in fields(Motion)} - {"fps"}
    assert {*MOUTH_CHANNELS, *OTHER_CHANNELS} == names
    generator = np.random.default_rng(0)
    mouth, others = (generator.random((4, 9)).astype(np.float32) for _ in range(2))
    motion = motion_of(mouth, others, Fraction(30))
    assert motion.fps == 30
    assert np.array_equal(motion.gaze, others[:, 5:7])
    again = numbers_of(motion)
    assert np.array_equal(again[0], mouth)
    assert np.array_equal(again[1], others)


def test_what_a_face_cannot_do_is_clipped():
    wild = np.full((1, 9), -3, np.float32)
    motion = motion_of(wild, -wild)
    assert (motion.lip_gap[0], motion.tongue[0], motion.lip_roll[0]) == (0, 0, 0)
    assert motion.eyelids[0] == 1
    assert motion.head_pose.tolist() == [[3, 3, 3]]


def test_numbers_come_back():
    torch.manual_seed(0)
    mouth, others = torch.randn(5, 9), torch.randn(5, 9)
    lips, motion = MouthCode(32), MotionCode(12)
    assert torch.allclose(lips.read(lips(mouth)), mouth, atol=1e-4)
    assert torch.allclose(motion.read(motion(others)), others, atol=1e-4)
    assert torch.equal(lips.rest(), lips(torch.zeros(9)))


@pytest.mark.parametrize("control", range(9))
def test_a_gain_scales_its_control_and_leaves_the_rest(control):
    torch.manual_seed(1)
    code = MotionCode(12)
    change = torch.randn(4, 12)
    gains = torch.ones(9)
    gains[control] = 0.0
    before, after = code.read(change), code.read(code.scaled(change, gains))
    wanted = before.clone()
    wanted[:, control] = 0.0
    assert torch.allclose(after, wanted, atol=1e-3)
    assert torch.equal(code.scaled(change, torch.ones(9)), change)


def test_controls_of_the_mean_flows_are_in_units():
    mouth, others = torch.zeros(2, 9), torch.zeros(2, 9)
    mouth[:, 6], others[:, 4] = 0.1, 1.0
    made = flow_controls(mouth, others, torch.tensor([0.0, 0.3, 0.25]))
    assert made.shape == (2, NUM_CONTROLS)
    assert made[0, 6] == pytest.approx(1.0)
    assert made[0, 9] == pytest.approx(1.0)
    assert made[1, -3:].tolist() == pytest.approx([0.0, 0.3, 0.25])
