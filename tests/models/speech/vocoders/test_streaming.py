import pytest
import torch

from facevox.core.errors import InputError
from facevox.models.speech.vocoders import harmonic, hifigan
from facevox.models.speech.vocoders.streaming import VocoderStream, synthesise_in_pieces


def case(frames=230):
    generator = torch.Generator().manual_seed(0)
    mel = torch.randn(1, 80, frames, generator=generator) - 5
    f0 = 150 + 30 * torch.sin(torch.arange(frames) / 9).unsqueeze(0)
    f0[:, 60:75] = 0
    f0[:, 99:103] = 0
    return mel, f0


@pytest.fixture(
    scope="module", params=[(harmonic.HarmonicVocoder, harmonic), (hifigan.HifiGan, hifigan)]
)
def vocoder(request):
    torch.manual_seed(0)
    kind, module = request.param
    made = kind(module.tiny()).eval()
    for parameter in made.parameters():
        parameter.data.mul_(1.5)
    return made


@pytest.mark.parametrize("frames_at_once", [7, 100, 1000])
def test_pieces_are_the_whole(vocoder, frames_at_once):
    mel, f0 = case()
    with torch.no_grad():
        whole = vocoder(mel, f0)
    pieces = list(synthesise_in_pieces(vocoder, mel, f0, frames_at_once))
    joined = torch.cat(pieces, dim=1)
    assert joined.shape == whole.shape
    assert float(whole.abs().max()) > 1e-3
    torch.testing.assert_close(joined, whole, rtol=0, atol=1e-6)


def test_memory_does_not_grow(vocoder):
    stream = VocoderStream(vocoder)
    mel, f0 = case(50)
    for _ in range(8):
        stream.push(mel, f0)
        assert stream._mel.shape[2] <= 50 + 2 * vocoder.receptive_field
    stream.finish()


def test_a_stream_can_be_used_again(vocoder):
    stream = VocoderStream(vocoder)
    mel, f0 = case(90)
    first = torch.cat([stream.push(mel, f0), stream.finish()], dim=1)
    again = torch.cat([stream.push(mel, f0), stream.finish()], dim=1)
    assert torch.equal(first, again)
    assert stream.finish().shape == (1, 0)


def test_a_piece_has_frames(vocoder):
    with pytest.raises(InputError, match="at least one frame"):
        list(synthesise_in_pieces(vocoder, *case(10), frames_at_once=0))
