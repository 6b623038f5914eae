import made_voice
import numpy as np
import pytest
import torch

from facevox.models.speech.kaldi_fbank import kaldi_fbank

KNOWN = {
    110: (
        0.5,
        48,
        [
            -10.0387,
            -7.393,
            -4.8503,
            -3.2927,
            -0.683,
            -0.8471,
            -1.4346,
            0.8279,
            -1.6322,
            -1.9877,
            -3.6448,
            -7.2335,
            -9.4897,
            -11.0595,
            -12.2606,
            -13.0169,
        ],
    ),
    205: (
        1.0,
        98,
        [
            -13.0423,
            -6.609,
            -9.4805,
            -8.7642,
            -6.4775,
            1.0476,
            0.5143,
            2.2982,
            -1.1479,
            -0.8448,
            -3.5025,
            -6.8842,
            -8.7553,
            -10.4532,
            -11.6636,
            -12.4079,
        ],
    ),
}
"""f0 [Hz]: seconds, frames, every fifth band of frame 20, by kaldi-native-fbank 1.22.5 (dither 0)."""


def vowels(f0, seconds):
    return torch.from_numpy(made_voice.vowels(f0, seconds))


@pytest.mark.parametrize("f0", KNOWN)
def test_known_values_of_kaldi(f0):
    seconds, frames, values = KNOWN[f0]
    fbank = kaldi_fbank(vowels(f0, seconds))
    assert fbank.shape == (frames, 80)
    assert fbank[20, ::5].tolist() == pytest.approx(values, abs=1e-3)


def test_silence_is_the_floor():
    fbank = kaldi_fbank(torch.zeros(1600))
    assert fbank.numpy() == pytest.approx(np.full(fbank.shape, np.log(2.0**-23)))


@pytest.mark.parametrize(("samples", "frames"), [(400, 1), (559, 1), (560, 2), (16_000, 98)])
def test_only_whole_windows_count(samples, frames):
    assert kaldi_fbank(torch.ones(samples)).shape == (frames, 80)


def test_loudness_shifts_every_band_alike():
    waveform = vowels(130, 0.5)
    shift = kaldi_fbank(2 * waveform) - kaldi_fbank(waveform)
    assert shift[10].tolist() == pytest.approx([2 * np.log(2)] * 80, abs=1e-4)


def test_a_batch_is_its_parts_and_gradients_reach_the_waveform():
    waveforms = torch.stack([vowels(110, 0.3), vowels(200, 0.3)]).requires_grad_()
    fbank = kaldi_fbank(waveforms, 40)
    assert fbank.shape == (2, 28, 40)
    assert torch.allclose(fbank[1], kaldi_fbank(waveforms[1], 40))
    fbank.mean().backward()
    assert waveforms.grad.isfinite().all()
    assert waveforms.grad.abs().sum() > 0


def test_first_use_without_gradients_does_not_forbid_them_later():
    with torch.inference_mode():
        kaldi_fbank(torch.ones(800), 17)
    waveform = vowels(110, 0.1).requires_grad_()
    kaldi_fbank(waveform, 17).sum().backward()
    assert waveform.grad.isfinite().all()
