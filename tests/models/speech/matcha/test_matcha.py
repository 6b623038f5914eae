"""Laws of the acoustic model."""

from dataclasses import replace

import pytest
import torch

from facevox.core.errors import ConfigError, DataError, InputError
from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.config import MatchaConfig, tiny
from facevox.models.speech.matcha.matcha import MatchaTTS, MatchaVoice
from facevox.models.speech.matcha.pitch_predictor import pitch_channels

IDS, TAGS, LENGTHS = (
    [[1, 8, 9, 12, 4], [1, 30, 4, 0, 0]],
    [[0, 1, 2, 1, 0], [0, 1, 0, 0, 0]],
    [5, 3],
)
DURATIONS = [[3, 5, 2, 6, 5], [4, 5, 4, 0, 0]]


def model(config: MatchaConfig | None = None, seed: int = 0) -> MatchaTTS:
    torch.manual_seed(seed)
    net = MatchaTTS(config or tiny()).eval()
    # it begins at zero, where nothing behind it could be seen
    torch.nn.init.normal_(net.decoder.estimator.final_proj.weight, 0.0, 0.2)
    return net


def voices(count: int = 2, seed: int = 1) -> MatchaVoice:
    source = torch.Generator().manual_seed(seed)
    embedding = torch.nn.functional.normalize(torch.randn(count, 8, generator=source))
    return MatchaVoice(
        speaker_embedding=embedding, log2_f0_mean=7.0 + torch.rand(count, generator=source)
    )


def batch(mels: int = 20) -> MatchaBatch:
    source = torch.Generator().manual_seed(2)
    voice = voices()
    lengths = torch.tensor(DURATIONS).sum(1)
    valid = torch.arange(int(lengths.max())) < lengths[:, None]
    f0 = 120 + 40 * torch.rand(valid.shape, generator=source)
    f0 = f0 * (torch.rand(valid.shape, generator=source) > 0.4)
    return MatchaBatch(
        ids=torch.tensor(IDS),
        tags=torch.tensor(TAGS),
        id_lengths=torch.tensor(LENGTHS),
        mel=(torch.randn(2, mels, valid.shape[1], generator=source) - 5) * valid[:, None],
        mel_lengths=lengths,
        durations=torch.tensor(DURATIONS),
        f0=f0 * valid,
        speaker_embedding=voice.speaker_embedding,
        log2_f0_mean=voice.log2_f0_mean,
    )


def row(voice: MatchaVoice, index: int) -> MatchaVoice:
    return MatchaVoice(
        speaker_embedding=voice.speaker_embedding[index : index + 1],
        log2_f0_mean=voice.log2_f0_mean[index : index + 1],
    )


def spoken(net, voice, seeds=(3, 4), **options):
    ids, tags, lengths = torch.tensor(IDS), torch.tensor(TAGS), torch.tensor(LENGTHS)
    return net.synthesise(ids, lengths, seeds, tags, voice, steps=2, **options)


def test_an_utterance_does_not_depend_on_its_neighbours():
    net, voice = model(), voices()
    together, plan = spoken(net, voice)
    for index, length in enumerate(LENGTHS):
        ids = torch.tensor(IDS)[index : index + 1, :length]
        tags = torch.tensor(TAGS)[index : index + 1, :length]
        alone, own = net.synthesise(
            ids, torch.tensor([length]), [3 + index], tags, row(voice, index), steps=2
        )
        frames = int(own.mel_lengths[0])
        assert frames == int(plan.mel_lengths[index])
        torch.testing.assert_close(together[index, :, :frames], alone[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(plan.f0[index, :frames], own.f0[0], atol=1e-2, rtol=1e-4)
        assert not together[index, :, frames:].any()


def test_losses_do_not_depend_on_padding():
    net, one = model(), batch()
    more = replace(
        one,
        ids=torch.nn.functional.pad(one.ids, (0, 3)),
        tags=torch.nn.functional.pad(one.tags, (0, 3)),
        durations=torch.nn.functional.pad(one.durations, (0, 3)),
    )
    first = net.losses(one, torch.Generator().manual_seed(0))
    second = net.losses(more, torch.Generator().manual_seed(0))
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], atol=1e-5, rtol=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_mel():
    net, voice = model(), voices()
    first, second = spoken(net, voice)[0], spoken(net, voice)[0]
    assert torch.equal(first, second)
    assert not torch.equal(first, spoken(net, voice, seeds=(5, 6))[0])


def test_durations_sum_to_the_mel_and_are_at_least_one():
    net, voice = model(), voices()
    for scale in (0.05, 1.0, 3.0):
        mel, plan = spoken(net, voice, length_scale=scale)
        valid = plan.durations[plan.durations > 0]
        assert mel.shape[-1] == int(plan.durations.sum(1).max())
        assert len(valid) == sum(LENGTHS)


def test_gradients_reach_every_parameter():
    net = model().train()
    sum(net.losses(batch(), torch.Generator().manual_seed(0)).values()).backward()
    without = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    # the prenet begins as the identity, so that nothing behind its last layer moves at once
    assert all(name.startswith("encoder.prenet.") for name in without), without


@pytest.mark.parametrize("by_frame", [False, True])
def test_at_first_the_prior_alone_speaks(by_frame):
    torch.manual_seed(0)
    config = tiny() if by_frame else tiny().model_copy(update={"prior": None})
    net, voice = MatchaTTS(config).eval(), voices()
    ids, tags, lengths = torch.tensor(IDS), torch.tensor(TAGS), torch.tensor(LENGTHS)
    plan = net.plan(ids, lengths, tags, voice)
    flat = net.decode(plan, [0, 0], steps=3, temperature=0.0)
    tokens = torch.repeat_interleave(torch.arange(5), plan.durations[0])
    expected = plan.mu[0, tokens]
    if net.prior is not None:
        frames = torch.ones(1, len(tokens), dtype=torch.bool)
        seen = pitch_channels(plan.f0[:1, : len(tokens)], plan.log2_f0_mean[:1])
        one = plan.hidden[:1], plan.durations[:1], tokens[None]
        with torch.no_grad():
            expected = net.prior(*one, seen, plan.f0[:1, : len(tokens)], frames)[0]
    wanted = (expected * net.mel_std + net.mel_mean).T
    assert torch.allclose(net.decode(plan, [0, 0], steps=0), flat, atol=1e-4)
    torch.testing.assert_close(flat[0, :, : len(tokens)], wanted, atol=1e-4, rtol=1e-4)


def test_shaping_moves_the_filter_and_leaves_the_harmonics():
    torch.manual_seed(0)
    net, voice = MatchaTTS(tiny()).eval(), voices()
    assert net.prior is not None
    with torch.no_grad():
        net.prior.gain_proj.weight.zero_()
        net.prior.gain_proj.bias.fill_(1.0)
    plan = net.plan(torch.tensor(IDS), torch.tensor(LENGTHS), torch.tensor(TAGS), voice)
    flat = torch.full((20, 20), 1 / 20)
    mel = net.decode(plan, [0, 0], steps=1, temperature=0.0, shaping=flat)[0]
    length = int(plan.mel_lengths[0])
    source = net.prior.source(plan.f0)[0, :length].T * net.mel_std
    torch.testing.assert_close(
        (mel - mel.mean(0))[:, :length], source - source.mean(0), atol=1e-4, rtol=1e-4
    )


def test_voicing_can_be_forced_for_some_symbols():
    torch.manual_seed(0)
    net, voice = MatchaTTS(tiny()).eval(), voices()
    ids, tags, lengths = torch.tensor(IDS), torch.tensor(TAGS), torch.tensor(LENGTHS)
    more = torch.where(torch.arange(ids.shape[1]) == 1, 1e4, -1e4).expand(ids.shape)
    plan = net.plan(ids, lengths, tags, voice, voicing=more)
    first, second = plan.durations[0, :2].tolist()
    assert (plan.f0[0] > 0).nonzero().flatten().tolist() == list(range(first, first + second))


def test_a_prior_by_frame_needs_pitch():
    with pytest.raises(ConfigError, match="needs a model with pitch"):
        MatchaTTS(tiny().model_copy(update={"pitch": None}))


def test_one_batch_is_learnt():
    net, data = model().train(), batch()
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    source = torch.Generator().manual_seed(0)
    history = []
    for _ in range(60):
        losses = net.losses(data, source)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        history.append({name: float(value.detach()) for name, value in losses.items()})
    last = {name: sum(h[name] for h in history[-10:]) / 10 for name in history[0]}
    assert last["duration"] < 0.02
    assert last["prior"] < 0.5 * history[0]["prior"] + 0.5
    assert last["cfm"] < 0.7 * history[0]["cfm"]
    assert last["pitch"] < 0.4 * history[0]["pitch"]
    assert last["voicing"] < 0.5 * history[0]["voicing"]


def test_found_durations_train_too():
    net = model(tiny().model_copy(update={"alignment": "mas"}))
    losses = net.losses(replace(batch(), durations=None), torch.Generator().manual_seed(0))
    assert all(torch.isfinite(value) for value in losses.values())


def test_prosody_of_one_voice_with_the_timbre_of_another():
    net, first, second = model(), voices(), voices(seed=9)
    ids, tags, lengths = torch.tensor(IDS), torch.tensor(TAGS), torch.tensor(LENGTHS)
    own = net.plan(ids, lengths, tags, second)
    lent = net.plan(ids, lengths, tags, second, prosody_voice=first)
    theirs = net.plan(ids, lengths, tags, first)
    assert torch.equal(lent.durations, theirs.durations)
    assert torch.equal(lent.mu, own.mu)
    voiced = (lent.f0 > 0) & (theirs.f0 > 0)
    shift = torch.exp2(second.log2_f0_mean - first.log2_f0_mean)[:, None].expand_as(voiced)
    torch.testing.assert_close((lent.f0 / theirs.f0)[voiced], shift[voiced], atol=1e-4, rtol=1e-4)


def test_a_plan_can_be_edited():
    net, voice = model(), voices()
    ids, tags, lengths = torch.tensor(IDS), torch.tensor(TAGS), torch.tensor(LENGTHS)
    plan = net.plan(ids, lengths, tags, voice, durations=torch.tensor(DURATIONS))
    assert plan.mel_lengths.tolist() == [21, 13]
    assert plan.f0.shape == (2, 21)
    mel = net.decode(plan, [0, 1], steps=2)
    higher = net.decode(replace(plan, f0=torch.full_like(plan.f0, 300.0)), [0, 1], steps=2)
    assert not torch.allclose(mel, higher)


def test_weights_survive_a_file(tmp_path):
    from facevox.core.checkpoint import load_module, save_checkpoint

    net, voice = model(), voices()
    path = save_checkpoint(tmp_path / "voice.safetensors", net.state_dict(), {})
    other = model(seed=5)
    load_module(other, path)
    assert torch.equal(spoken(net, voice)[0], spoken(other, voice)[0])


def test_bad_input_is_told():
    net, voice = model(), voices()
    ids, tags, lengths = torch.tensor(IDS), torch.tensor(TAGS), torch.tensor(LENGTHS)
    with pytest.raises(InputError, match="ids must be 0 to"):
        net.plan(ids + 1000, lengths, tags, voice)
    with pytest.raises(InputError, match="tags must be 0 to 2"):
        net.plan(ids, lengths, tags + 5, voice)
    with pytest.raises(InputError, match="lengths from 1 to 5"):
        net.plan(ids, torch.tensor([5, 0]), tags, voice)
    with pytest.raises(InputError, match="needs tags"):
        net.plan(ids, lengths, None, voice)
    with pytest.raises(InputError, match="needs speaker_embedding"):
        net.plan(ids, lengths, tags)
    with pytest.raises(InputError, match="embeddings of 8 numbers"):
        net.plan(ids, lengths, tags, replace(voice, speaker_embedding=torch.ones(2, 9)))
    with pytest.raises(InputError, match="at least 1 frame"):
        net.plan(ids, lengths, tags, voice, durations=torch.tensor(DURATIONS) - 2)
    with pytest.raises(InputError, match="Expected 2 seeds"):
        spoken(net, voice, seeds=(1,))
    with pytest.raises(DataError, match="must sum to the mel frames"):
        net.losses(replace(batch(), durations=batch().durations + 1))
    with pytest.raises(DataError, match="at least one symbol"):
        net.losses(replace(batch(), id_lengths=torch.tensor([5, 0])))
    with pytest.raises(InputError, match="needs f0"):
        net.losses(replace(batch(), f0=None))
