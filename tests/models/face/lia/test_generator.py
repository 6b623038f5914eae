"""Laws of the generator: shapes, counts, what each style may change, identity and motion."""

import pytest
import torch
from torch.nn import functional

from facevox.core.errors import ConfigError
from facevox.models.face.lia.config import GeneratorConfig, paper, small, tiny
from facevox.models.face.lia.fusion import StyleFusion
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.lia.motion import MotionExtractor
from facevox.models.face.lia.synthesis import identity_grid, warp

FORMS = [
    tiny(),
    tiny().model_copy(update={"content": "fused", "pixel_skip": True}),
    tiny().model_copy(update={"fusion": "project", "layer_map": "levels"}),
]


def count(module):
    return sum(weight.numel() for weight in module.parameters())


@pytest.mark.parametrize(
    ("config", "sides"), [(paper(), [8, 16, 32, 64, 128, 256]), (paper(512), None)]
)
def test_published_sizes(config, sides):
    with torch.device("meta"):
        model = FaceGenerator(config)
        picture = torch.zeros(1, 3, config.size, config.size)
        feature, maps = model.encoder(picture)
    assert feature.shape == (1, 512)
    assert [m.shape[-1] for m in maps] == (sides or [8, 16, 32, 64, 128, 256, 512])
    assert [m.shape[1] for m in maps] == [config.channels[m.shape[-1]] for m in maps]
    assert config.num_styles == (14 if config.size == 256 else 16)


def test_published_parameter_counts():
    with torch.device("meta"):
        model = FaceGenerator(paper())
    unused = 13 + 512 * 3 + 6  # noise, and the colours of the 4 px map
    assert count(model.encoder) / 1e6 == pytest.approx(21.64, abs=0.01)
    assert count(model.extractor.layers) / 1e6 == pytest.approx(1.06, abs=0.01)
    decoder = count(model.synthesis) + count(model.extractor.dictionary) + unused
    assert decoder / 1e6 == pytest.approx(22.42, abs=0.01)


def test_the_last_style_moves_only_the_finest_flow(model, pictures):
    maps = model.read(pictures).maps
    styles = torch.randn(4, 8, 16)
    other = styles.clone()
    other[:, -1] += 1.0
    seen = [[], []]
    for store, used in zip(seen, (styles, other), strict=True):
        hooks = [
            module.register_forward_hook(lambda _, __, out, store=store: store.append(out))
            for module in (*model.synthesis.flows, *model.synthesis.colours)
        ]
        model.synthesis(used, maps)
        for hook in hooks:
            hook.remove()
    same = [torch.equal(a, b) for a, b in zip(*seen, strict=True)]
    # flow and colours in turn, coarse to fine
    assert same == [True, True, True, True, False, False]


@pytest.mark.parametrize("count", [7, 9])
def test_wrong_inputs_are_refused(model, pictures, count):
    source = model.read(pictures)
    with pytest.raises(ValueError, match="Expected 8 styles"):
        model.synthesis(torch.zeros(4, count, 16), source.maps)
    with pytest.raises(ValueError, match="feature maps"):
        model.synthesis(torch.zeros(4, 8, 16), source.maps[1:])


def test_sizes_are_checked():
    with pytest.raises(ConfigError, match="power of two"):
        GeneratorConfig(size=100)
    with pytest.raises(ConfigError, match="channels"):
        GeneratorConfig(size=64, channels={4: 8})
    assert small().pixel_skip
    assert small().content == "fused"


def test_identity_and_motion_add_up():
    torch.manual_seed(0)
    extractor = MotionExtractor(512, 20)
    feature = torch.randn(5, 512)
    parts = extractor(feature)
    q = extractor.dictionary.directions()
    torch.testing.assert_close(q.T @ q, torch.eye(20), atol=1e-5, rtol=0)
    assert torch.equal(extractor.dictionary(torch.zeros(3, 20)), torch.zeros(3, 512))
    torch.testing.assert_close(parts.f_id + parts.f_m, feature, atol=1e-6, rtol=0)
    torch.testing.assert_close(parts.f_m.norm(dim=1), parts.alpha.norm(dim=1))
    torch.testing.assert_close(extractor.dictionary.project(parts.f_m), parts.alpha)
    # each picture by itself
    torch.testing.assert_close(extractor(feature[1:2]).f_id, parts.f_id[1:2])


def test_directions_are_kept_until_the_weights_change():
    dictionary = MotionExtractor(16, 4).eval().dictionary
    with torch.no_grad():
        first = dictionary.directions()
        assert dictionary.directions() is first
        dictionary.weight.add_(torch.randn(16, 4))
        assert not torch.equal(dictionary.directions(), first)


def test_without_masks_the_colour_is_constant(model, pictures):
    for flow in model.synthesis.flows:
        torch.nn.init.zeros_(flow.conv.weight)
        flow.bias.data[:, 2] = -200.0
    source = model.read(pictures)
    made = model(source, source.parts.f_m).picture
    for side in (made[0], made[1]):
        torch.testing.assert_close(side, made[2])
    # beyond the border upsampling sees zero: constant inside, and symmetric
    middle = made[0, :, 12:20, 12:20].flatten(1)
    torch.testing.assert_close(middle, middle[:, :1].expand(-1, 64))
    torch.testing.assert_close(made, made.flip(3))


def test_with_full_masks_and_no_flow_the_source_colours_show(model, pictures):
    for flow in model.synthesis.flows:
        torch.nn.init.zeros_(flow.conv.weight)
        flow.bias.data.zero_()
        flow.bias.data[:, 2] = 200.0
    seen = []
    head = model.synthesis.colours[-1]
    head.register_forward_hook(lambda _, given, out: seen.append((given[0], out)))
    source = model.read(pictures)
    model(source, source.parts.f_m)
    given, _ = seen[0]
    grid = identity_grid(32, given).expand(4, -1, -1, -1)
    torch.testing.assert_close(given, warp(source.maps[-1], grid), atol=1e-5, rtol=0)
    # the grid's ends lie on centres, sampling's on borders: not the map itself
    assert (given - source.maps[-1]).abs().max() > 1e-3
    exact = functional.grid_sample(source.maps[-1], grid, align_corners=True)
    torch.testing.assert_close(exact, source.maps[-1], atol=1e-5, rtol=0)


def test_lips_and_motion_have_layers_of_their_own():
    fusion = StyleFusion(paper())
    f_id, f_m, f_lip = torch.randn(3, 2, 512)
    styles = fusion(f_id, f_m, f_lip)
    lips = fusion(f_id, f_m, f_lip + 1.0)
    motion = fusion(f_id, f_m + 1.0, f_lip)
    assert changed(styles, lips) == [6, 7]
    assert changed(styles, motion) == [1, 2, 3, 4, 5]
    torch.testing.assert_close(styles[:, 6], f_id + f_lip)
    assert changed(styles, fusion(f_id, f_m)) == [6, 7]


@pytest.mark.parametrize("mode", ["add", "project"])
def test_other_fusions_use_motion_at_the_lips_too(mode):
    fusion = StyleFusion(paper().model_copy(update={"fusion": mode}))
    f_id, f_m, f_lip = torch.randn(3, 2, 512)
    styles = fusion(f_id, f_m, f_lip)
    assert changed(styles, fusion(f_id, f_m + 1.0, f_lip)) == [1, 2, 3, 4, 5, 6, 7]
    assert changed(styles, fusion(f_id, f_m, f_lip + 1.0)) == [6, 7]


def test_levels_move_all_and_lips_the_two_finest():
    fusion = StyleFusion(paper().model_copy(update={"layer_map": "levels"}))
    f_id, f_m, f_lip = torch.randn(3, 2, 512)
    styles = fusion(f_id, f_m, f_lip)
    assert changed(styles, fusion(f_id, f_m, f_lip + 1.0)) == [9, 10, 11, 12, 13]
    assert changed(styles, fusion(f_id, f_m + 1.0, f_lip)) == list(range(9))


@pytest.mark.parametrize("config", FORMS, ids=lambda c: f"{c.content}-{c.fusion}")
def test_gradients_reach_every_parameter(make, pictures, config):
    model = make(config).train()
    source = model.read(pictures)
    made = model(source, source.parts.f_m.flip(0), torch.randn(4, 16))
    made.picture.square().mean().backward()
    without = [n for n, w in model.named_parameters() if w.grad is None or not w.grad.any()]
    assert without == []


@pytest.mark.parametrize("config", FORMS, ids=lambda c: f"{c.content}-{c.fusion}")
@torch.no_grad()
def test_a_batch_is_as_one_by_one_and_one_source_serves_all(make, pictures, config):
    model = make(config)
    f_m, f_lip = torch.randn(2, 4, 16)
    source = model.read(pictures)
    made = model(source, f_m, f_lip).picture
    for i in range(4):
        one = model(model.read(pictures[i : i + 1]), f_m[i : i + 1], f_lip[i : i + 1]).picture
        torch.testing.assert_close(made[i : i + 1], one, atol=1e-4, rtol=0)
    shared = model(model.read(pictures[:1]), f_m, f_lip).picture
    repeated = model(model.read(pictures[:1].repeat(4, 1, 1, 1)), f_m, f_lip).picture
    torch.testing.assert_close(shared, repeated, atol=1e-4, rtol=0)


def changed(before, after):
    differ = (before != after).flatten(2).any(2).any(0)
    return differ.nonzero().flatten().tolist()
