import numpy as np
import torch
from made_voice import vowels

from facevox.data.speakers import Utterance
from facevox.recipes.campplus import SpeakerLoss
from facevox.recipes.speaker_crops import CROP, SPEEDS, Crops
from facevox.recipes.speaker_encoder import fit
from facevox.recipes.speaker_trials import equal_error_rate


def made_speakers(count, rows, noise, seed=0):
    """Statistics in which only the first three of eight directions tell speakers apart."""
    generator = np.random.default_rng(seed)
    classes = np.repeat(np.arange(count), rows)
    centers = np.zeros((count, 8))
    centers[:, :3] = generator.standard_normal((count, 3))
    scale = np.array([0.3, 0.3, 0.3, 3, 3, 3, 3, 3])
    return centers[classes] + noise * scale * generator.standard_normal((len(classes), 8)), classes


def test_the_directions_of_the_speakers_are_found():
    statistics, classes = made_speakers(60, 20, 1.0)
    encoder = fit(statistics, classes, 3)
    fresh, of = made_speakers(60, 2, 1.0, seed=0)
    made = encoder._project(fresh)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    cosine = made @ made.T
    same = of[:, None] == of[None]
    upper = np.triu(np.ones_like(same), 1)
    assert equal_error_rate(cosine[same & upper], cosine[~same & upper]) < 0.2
    weights = np.abs(encoder.tensors()["projection"] / statistics.std(0)[:, None])
    assert weights[:3].sum() > 3 * weights[3:].sum()


def test_every_speaker_at_every_speed_is_a_class():
    sounds = [
        Utterance(corpus="made", speaker=name, name=name, waveform=vowels(f0, 3))
        for name, f0 in (("low", 110), ("high", 210))
    ]
    crops = Crops(sounds, np.random.default_rng(0))
    assert crops.speakers == ["high", "low"]
    assert crops.num_classes == 2 * len(SPEEDS)
    assert crops.draw(0, 3).shape == (3, CROP, 80)


def test_the_margin_makes_it_harder_and_gradients_reach_all():
    torch.manual_seed(0)
    loss = SpeakerLoss(8, 6)
    made = torch.nn.functional.normalize(torch.randn(12, 8), dim=-1).requires_grad_()
    classes = torch.arange(6).repeat_interleave(2)
    plain, pairs = loss(made, classes, 0.0)
    hard, _ = loss(made, classes, 0.2)
    assert hard > plain
    (hard + pairs).backward()
    for one in (made, *loss.parameters()):
        assert one.grad is not None
        assert one.grad.abs().sum() > 0
