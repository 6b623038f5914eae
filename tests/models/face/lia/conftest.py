import pytest
import torch

from facevox.models.face.lia.config import tiny
from facevox.models.face.lia.generator import FaceGenerator


def trained(config, seed=0):
    """A network whose biases, flows and masks are not those of the first step."""
    torch.manual_seed(seed)
    model = FaceGenerator(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias") and "modulation" not in name:
                weight.add_(torch.randn_like(weight) * 0.2)
            if "flows" in name and name.endswith("conv.weight"):
                weight.normal_().mul_(0.2)
    return model


@pytest.fixture
def make():
    return trained


@pytest.fixture
def model():
    return trained(tiny())


@pytest.fixture
def pictures():
    """Four smooth pictures, as photos are."""
    noise = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    grown = torch.nn.functional.interpolate(noise, size=32, mode="bicubic", align_corners=False)
    return grown.clamp(-1, 1)
