"""A vocoder that filters harmonics of F0 and noise, frame by frame.

A network reads mel and F0 and says, for each frame, by what complex factor each bin of a
pulse train's spectrum is multiplied, and how loud each bin of the noise is.  The pulses
carry the pitch, so that it is right from the first training step and can be changed; the
network learns the vocal tract, the glottis and the breath.

Reference:
    Wang, Takaki and Yamagishi, Neural Source-Filter Waveform Models, 2019 (the excitation);
    Kaneko et al., iSTFTNet, ICASSP 2022, and Siuzdak, Vocos, ICLR 2024 (waveforms from frames
    by the inverse STFT); Liu et al., Neural Homomorphic Vocoder, Interspeech 2020 (filtered
    pulses and noise).
"""

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from facevox.models.speech.mel import MelSettings
from facevox.models.speech.vocoders.excitation import (
    Onset,
    cycles_at_samples,
    pulse_train,
    utterance_onset,
    voicing_at_samples,
    white_noise,
)
from facevox.models.speech.vocoders.frames import frame_spectra, sound_of_spectra
from facevox.models.speech.vocoders.mel_matching import MelMatching
from facevox.models.speech.vocoders.vocoder import check_frames
from facevox.nn.convnext import ConvNextBlock

_MIDDLE_F0 = 150.0
_LOUDEST = 8.0


class HarmonicVocoderConfig(BaseModel):
    """Size of the network and of its frames.

    Attributes:
        sample_rate: Samples per second [Hz].
        hop_length: Samples between two frames.
        n_mels: Mel bands.
        n_fft: Length of the pieces that are filtered [samples]; a multiple of their step.
        pieces_per_frame: Filters for each mel frame: with two, they move every 5 ms.
        dim: Features of a frame.
        num_blocks: ConvNeXt blocks.
        kernel: Frames that each convolution spans; odd.
        expansion: Size of a block's hidden layer as a multiple of `dim`.
        corrections: How often the sound's mel is compared and corrected.
        correction_width: Over how much of the spectrum they are smoothed [Hz].
        gated: Whether pulses are silent where F0 is 0; without, the network decides from the mel
            what a tracker may have missed.
        residual: Whether a spectrum is added that neither pulses nor noise explain.
        mel_mean: What is taken from the log-mel.
        mel_std: What it is divided by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: int = 16_000
    hop_length: int = 160
    n_mels: int = 80
    n_fft: int = 320
    pieces_per_frame: int = 2
    dim: int = 192
    num_blocks: int = 8
    kernel: int = 7
    expansion: int = 3
    corrections: int = 2
    correction_width: float = 60.0
    gated: bool = True
    residual: bool = False
    mel_mean: float = -5.5
    mel_std: float = 2.2


def small() -> HarmonicVocoderConfig:
    """Return the size that ships."""
    return HarmonicVocoderConfig()


def tiny() -> HarmonicVocoderConfig:
    """Return a size for tests."""
    return HarmonicVocoderConfig(dim=16, num_blocks=2, kernel=3, expansion=2)


class HarmonicVocoder(nn.Module):
    """Mel and F0 -> waveform.

    Args:
        config: Sizes; the default is `small()`.

    Attributes:
        sample_rate: Samples per second [Hz].
        hop_length: Samples per frame.
        receptive_field: Frames before and after one that its samples depend on.
    """

    window: Tensor

    def __init__(self, config: HarmonicVocoderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or small()
        self.sample_rate, self.hop_length = config.sample_rate, config.hop_length
        reach = config.kernel // 2 * (config.num_blocks + 1)
        overlap = -(-config.n_fft // (2 * config.hop_length))
        front = MelSettings(
            sample_rate=config.sample_rate, hop_length=config.hop_length, n_mels=config.n_mels
        )
        self.match = MelMatching(front, config.correction_width)
        self.receptive_field = max(reach + overlap, 2 * overlap + 1)
        self.receptive_field += config.corrections * self.match.reach
        self.stem = nn.Conv1d(
            config.n_mels + 2, config.dim, config.kernel, padding=config.kernel // 2
        )
        self.stem_norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.blocks = nn.ModuleList(
            ConvNextBlock(config.dim, config.kernel, config.expansion)
            for _ in range(config.num_blocks)
        )
        self.norm = nn.LayerNorm(config.dim, eps=1e-6)
        self._step = config.hop_length // config.pieces_per_frame
        self.harmonic = _head(config, 2)
        self.noise = _head(config, 3)
        self.rest = _head(config, 2, loudness=-12.0) if config.residual else None
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)

    def forward(
        self,
        mel: Float[Tensor, "batch mels frames"],
        f0: Float[Tensor, "rows values"],
        onset: Onset | None = None,
        seeds: Tensor | None = None,
    ) -> Float[Tensor, "batch samples"]:
        """Return `frames * hop_length` samples.

        Args:
            mel: Natural log of mel magnitudes.
            f0: Fundamental frequency of each frame [Hz], 0 where unvoiced.
            onset: Where in an utterance these frames start; None is at its start.
            seeds: One seed of the noise for each row; None takes that of `onset` for all.

        Raises:
            InputError: If mel and F0 do not fit each other or the network, or are not finite.
        """
        check_frames(mel, f0, self.config.n_mels)
        onset = onset or utterance_onset(len(mel))
        if seeds is None:
            seeds = torch.full((len(mel),), onset.seed, dtype=torch.int64, device=mel.device)
        features = self.features(mel, f0)
        sources = self.sources(f0, onset, seeds)
        sound = sound_of_spectra(self.filtered(features, sources), self.window, self._step)
        for _ in range(self.config.corrections):
            sound = self.match(sound, mel)
        return sound

    def features(
        self, mel: Float[Tensor, "batch mels frames"], f0: Float[Tensor, "batch frames"]
    ) -> Float[Tensor, "batch frames dim"]:
        """Return what the network makes of mel and F0 at each frame."""
        voiced = (f0 > 0).to(mel)
        octaves = torch.log2(f0.clamp(min=20.0) / _MIDDLE_F0) * voiced
        scaled = (mel - self.config.mel_mean) / self.config.mel_std
        stacked = torch.cat([scaled, octaves.unsqueeze(1), voiced.unsqueeze(1)], dim=1)
        x = self.stem_norm(self.stem(stacked).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def sources(
        self, f0: Float[Tensor, "batch frames"], onset: Onset, seeds: Tensor
    ) -> Float[Tensor, "batch sources samples"]:
        """Return pulses, noise, and the noise swelling and ebbing once in each period."""
        cycles, frequency = cycles_at_samples(f0, onset, self.sample_rate, self.hop_length)
        pulses = pulse_train(cycles, frequency, self.sample_rate)
        if self.config.gated:
            pulses = pulses * voicing_at_samples(f0, self.hop_length)
        first = onset.first_frame * self.hop_length
        noise = white_noise(seeds, first, cycles.shape[1])
        angle = (2.0 * torch.pi * cycles).float()
        return torch.stack([pulses, noise, noise * angle.cos(), noise * angle.sin()], dim=1)

    def filtered(
        self,
        features: Float[Tensor, "batch frames dim"],
        sources: Float[Tensor, "batch sources samples"],
    ) -> Tensor:
        """Return the complex spectra (batch, frames, bins) of the sound."""
        spectra = frame_spectra(sources, self.window, self._step)
        level, phase = self._filters(self.harmonic, features, 2)
        result = torch.polar(_gain(level), phase) * spectra[:, 0]
        level, even, odd = self._filters(self.noise, features, 3)
        breath = spectra[:, 1] + even * spectra[:, 2] + odd * spectra[:, 3]
        result = result + _gain(level) * breath
        if self.rest is not None:
            level, phase = self._filters(self.rest, features, 2)
            result = result + torch.polar(_gain(level), phase) * self.window.sum()
        return result

    def _filters(self, head: nn.Linear, features: Tensor, parts: int) -> tuple[Tensor, ...]:
        """Return what a head says of each bin of each piece: (batch, pieces, bins) a part."""
        made = head(features).float().unflatten(2, (self.config.pieces_per_frame, parts, -1))
        return made.flatten(1, 2).unbind(dim=2)


def _head(config: HarmonicVocoderConfig, parts: int, loudness: float = -4.0) -> nn.Linear:
    """Return a layer that starts with quiet, flat filters of phase zero."""
    bins, pieces = config.n_fft // 2 + 1, config.pieces_per_frame
    head = nn.Linear(config.dim, pieces * parts * bins)
    nn.init.normal_(head.weight, std=0.02)
    nn.init.zeros_(head.bias)
    with torch.no_grad():
        head.bias.view(pieces, parts, bins)[:, 0] = loudness
    return head


def _gain(level: Tensor) -> Tensor:
    """Return magnitudes that are exponential below one and cannot run away above."""
    return torch.exp(torch.clamp(level, max=_LOUDEST))
