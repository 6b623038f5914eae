import torch

from facevox.models.speech.mel import MelSpectrogram
from facevox.models.speech.vocoders.mel_matching import MelMatching


def noises():
    generator = torch.Generator().manual_seed(0)
    front = MelSpectrogram()
    sound, other = 0.1 * torch.randn(2, 2, 8000, generator=generator)
    level = torch.linspace(0.1, 1.0, 8000)
    return sound, front(other * level), front


def test_each_correction_brings_the_mel_closer():
    sound, mel, front = noises()
    match = MelMatching()
    away = []
    for _ in range(4):
        away.append(float((front(sound) - mel)[:, :, 4:-4].abs().mean()))
        sound = match(sound, mel)
    assert away == sorted(away, reverse=True)
    assert away[2] < 0.4 * away[0]


def test_sound_with_the_right_mel_stays():
    sound, _, front = noises()
    made = MelMatching()(sound, front(sound))
    # at the ends the front end mirrors sound, and frames know nothing of it
    torch.testing.assert_close(made[:, 800:-800], sound[:, 800:-800], rtol=0, atol=2e-3)


def test_reach_is_what_it_says():
    sound, mel, _ = noises()
    match = MelMatching()
    changed = sound.clone()
    changed[:, 4000:4160] += 0.1
    away = (match(changed, mel) - match(sound, mel)).abs().amax(0).view(50, 160).amax(1)
    touched = torch.nonzero(away).flatten()
    assert 25 - int(touched.min()) == match.reach == int(touched.max()) - 25


def test_silence_has_finite_gradients():
    _, mel, _ = noises()
    sound = torch.zeros(2, 8000, requires_grad=True)
    MelMatching()(sound, mel).square().sum().backward()
    assert torch.isfinite(sound.grad).all()
