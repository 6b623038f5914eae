import torch

from facevox.models.speech.vocoders.frames import frame_spectra, sound_of_spectra


def test_spectra_of_a_waveform_give_it_back():
    waveform = torch.randn(2, 1600, generator=torch.Generator().manual_seed(0))
    window = torch.hann_window(640)
    spectra = frame_spectra(waveform, window, 160)
    assert spectra.shape == (2, 10, 321)
    back = sound_of_spectra(spectra, window, 160)
    torch.testing.assert_close(back, waveform, rtol=0, atol=1e-5)
