import pytest
import torch

from facevox.models.speech.campplus import Campplus, CampplusConfig, paper, tiny


def norm(name, size, affine=True):
    shapes = {f"{name}.running_mean": (size,), f"{name}.running_var": (size,)}
    shapes[f"{name}.num_batches_tracked"] = ()
    if affine:
        shapes |= {f"{name}.weight": (size,), f"{name}.bias": (size,)}
    return shapes


def official_layout(dim):
    """Keys and shapes of campplus_cn_common.bin (192) and campplus_voxceleb.bin (512)."""
    shapes = {"head.conv1.weight": (32, 1, 3, 3), "head.conv2.weight": (32, 32, 3, 3)}
    shapes |= norm("head.bn1", 32) | norm("head.bn2", 32)
    for layer in ("layer1", "layer2"):
        for block in (0, 1):
            for part in (1, 2):
                shapes[f"head.{layer}.{block}.conv{part}.weight"] = (32, 32, 3, 3)
                shapes |= norm(f"head.{layer}.{block}.bn{part}", 32)
        shapes[f"head.{layer}.0.shortcut.0.weight"] = (32, 32, 1, 1)
        shapes |= norm(f"head.{layer}.0.shortcut.1", 32)
    shapes["xvector.tdnn.linear.weight"] = (128, 320, 5)
    shapes |= norm("xvector.tdnn.nonlinear.batchnorm", 128)
    for block, (inputs, count) in enumerate([(128, 12), (256, 24), (512, 16)], 1):
        for index in range(count):
            name, size = f"xvector.block{block}.tdnnd{index + 1}", inputs + 32 * index
            shapes |= norm(f"{name}.nonlinear1.batchnorm", size)
            shapes[f"{name}.linear1.weight"] = (128, size, 1)
            shapes |= norm(f"{name}.nonlinear2.batchnorm", 128)
            shapes[f"{name}.cam_layer.linear_local.weight"] = (32, 128, 3)
            shapes[f"{name}.cam_layer.linear1.weight"] = (64, 128, 1)
            shapes[f"{name}.cam_layer.linear1.bias"] = (64,)
            shapes[f"{name}.cam_layer.linear2.weight"] = (32, 64, 1)
            shapes[f"{name}.cam_layer.linear2.bias"] = (32,)
        size = inputs + 32 * count
        shapes |= norm(f"xvector.transit{block}.nonlinear.batchnorm", size)
        shapes[f"xvector.transit{block}.linear.weight"] = (size // 2, size, 1)
    shapes |= norm("xvector.out_nonlinear.batchnorm", 512)
    shapes["xvector.dense.linear.weight"] = (dim, 1024, 1)
    return shapes | norm("xvector.dense.nonlinear.batchnorm", dim, affine=False)


@pytest.mark.parametrize(("dim", "millions"), [(192, 6.85), (512, 7.18)])
def test_published_keys_shapes_and_sizes(dim, millions):
    network = Campplus(paper(dim))
    found = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert found == official_layout(dim)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.005)
    assert count == {192: 6_848_544, 512: 7_176_224}[dim]


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Campplus(tiny()).eval()


def test_any_length_gives_one_vector(network):
    for frames in (4, 37, 200, 201, 430):
        assert network(torch.randn(2, frames, 80)).shape == (2, 16)
    assert network.embed_speech(0.1 * torch.randn(3, 8000)).shape == (3, 16)


def test_utterances_of_a_batch_do_not_mix(network):
    waveforms = 0.1 * torch.randn(3, 6000)
    together = network.embed_speech(waveforms)
    alone = torch.cat([network.embed_speech(row[None]) for row in waveforms])
    assert torch.allclose(together, alone, atol=1e-5)


def test_loudness_does_not_matter(network):
    waveform = 0.1 * torch.randn(1, 8000)
    louder = network.embed_speech(4 * waveform)
    assert torch.allclose(network.embed_speech(waveform), louder, atol=1e-4)


def test_a_mask_hears_its_own_segment(network):
    fbank = torch.randn(1, 400, 80)
    changed = fbank.clone()
    changed[:, 300:] += 1
    first = network.xvector.tdnn(network.head(fbank.transpose(1, 2)))
    second = network.xvector.tdnn(network.head(changed.transpose(1, 2)))
    masked = network.xvector.block1.tdnnd1
    # without the mean over everything, a change in the second segment stays there
    masked.cam_layer.linear1.weight.data.zero_()
    difference = (masked(first) - masked(second)).abs().sum(1)[0]
    assert difference[:140].max() < 1e-5 < difference[160:].min()


def test_gradients_reach_the_waveform(network):
    waveform = (0.1 * torch.randn(1, 8000)).requires_grad_()
    network.embed_speech(waveform).square().sum().backward()
    assert waveform.grad.isfinite().all()
    assert waveform.grad.abs().sum() > 0


def test_sizes_are_values():
    assert paper() == CampplusConfig()
    assert paper() != paper(512)
