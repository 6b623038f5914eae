"""Matcha-TTS: text and a voice -> log-mel spectrogram.

Reference:
    Mehta et al., Matcha-TTS: a fast TTS architecture with conditional flow matching,
    ICASSP 2024; Jang et al., Faces that Speak, CVPR 2024 (a continuous voice in place of the
    table of speakers).
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from facevox.core.errors import ConfigError, InputError
from facevox.models.speech.matcha.batch import MatchaBatch, MatchaVoice, SpeechPlan, check_ids
from facevox.models.speech.matcha.config import MatchaConfig
from facevox.models.speech.matcha.decoder import FlowDecoder
from facevox.models.speech.matcha.duration_predictor import duration_loss, whole_durations
from facevox.models.speech.matcha.frame_prior import FramePrior
from facevox.models.speech.matcha.pitch_predictor import (
    PITCH_CHANNELS,
    REFERENCE_LOG2_F0,
    PitchPredictor,
    pitch_channels,
    pitch_losses,
)
from facevox.models.speech.matcha.text_encoder import EncodedText, TextEncoder
from facevox.nn.alignment import (
    expand,
    frame_tokens,
    gaussian_log_likelihood,
    monotonic_durations,
)
from facevox.nn.flow_matching import GaussianField, Solver, flow_matching_loss, integrate
from facevox.nn.gradient import scale_gradient
from facevox.nn.masks import length_mask, masked_mean, padded_length
from facevox.nn.noise import seeded_noise

Retime = Callable[[Tensor], Tensor]
"""Predicted frames of each symbol, (batch, tokens) -> frames to be spoken."""

_MULTIPLE = 4
"""Mels are padded to a multiple of this many frames, as published."""


class MatchaTTS(nn.Module):
    """Encoder, predictors of duration and pitch, and the flow decoder.

    Args:
        config: Sizes; `paper()`, `paper_multi()`, `small()` or `tiny()`.
    """

    mel_mean: Tensor
    mel_std: Tensor

    def __init__(self, config: MatchaConfig) -> None:
        super().__init__()
        self.config = config
        condition_dim = config.condition_dim if config.speakers != "none" else 0
        if config.speakers == "table":
            self.spk_emb = nn.Embedding(config.num_speakers, condition_dim)
        elif config.speakers == "embedding":
            self.speaker = nn.Linear(config.speaker_dim + 1, condition_dim, bias=False)
        self.encoder = TextEncoder(config, condition_dim)
        self.pitch = None
        if config.pitch is not None:
            self.pitch = PitchPredictor(config.encoder.hidden + condition_dim, config.pitch)
        self.prior = None
        if config.prior is not None:
            if config.pitch is None:
                raise ConfigError("A prior at frame level needs a model with pitch; set pitch.")
            states = config.encoder.hidden + condition_dim
            self.prior = FramePrior(states, config.n_mels, config.prior)
        extra = condition_dim + (PITCH_CHANNELS if config.pitch is not None else 0)
        self.decoder = FlowDecoder(2 * config.n_mels + extra, config.n_mels, config.decoder)
        spread = config.decoder.prior_spread
        self._gaussian = None if spread is None else GaussianField(spread)
        if self._gaussian is not None:
            # at first the prior alone speaks
            for parameter in self.decoder.estimator.final_proj.parameters():
                nn.init.zeros_(parameter)
        self.register_buffer("mel_mean", torch.tensor(config.mel_mean))
        self.register_buffer("mel_std", torch.tensor(config.mel_std))

    def forward(
        self, batch: MatchaBatch, generator: torch.Generator | None = None, *, flow: bool = True
    ) -> dict[str, Tensor]:
        """Return `losses`: what wrappers for several processes call."""
        return self.losses(batch, generator, flow=flow)

    def losses(
        self, batch: MatchaBatch, generator: torch.Generator | None = None, *, flow: bool = True
    ) -> dict[str, Tensor]:
        """Return the terms of the training loss by name; their sum is Matcha's loss.

        "duration" and "prior" always, "cfm" with the flow, "pitch" [octaves] and "voicing" for
        models with pitch, "frame_prior" for those with a prior at frame level.

        Args:
            batch: Utterances.
            generator: Source of all noise but dropout's, on the CPU.
            flow: Whether the decoder learns too; without it "cfm" is not there.

        Raises:
            DataError: If the batch is not consistent.
            InputError: If the batch lacks what this model needs.
        """
        batch.check()
        mask = length_mask(batch.id_lengths, batch.ids.shape[1])
        condition = self._dropped(self.condition(batch.voice), generator)
        encoded = self.encoder(batch.ids, self._tags(batch.tags), mask, condition)
        mel = self._normalised(batch.mel)
        durations = self._durations(batch, encoded.mu, mel)
        tokens = frame_tokens(durations, mel.shape[1])
        frames = length_mask(batch.mel_lengths, mel.shape[1])
        mu = expand(encoded.mu, tokens) * frames.unsqueeze(-1)
        losses = {
            "duration": duration_loss(encoded.log_durations, durations, mask),
            "prior": _prior_loss(mel, mu, frames),
        }
        parts = [mu]
        if self.pitch is not None:
            f0 = _fitted(_needed(batch.f0, "f0"), mel.shape[1])
            mean = _needed(batch.log2_f0_mean, "log2_f0_mean")
            losses |= self._pitch_losses(encoded, durations, tokens, frames, f0, mean)
            heard = self._shifted(f0, generator)
            seen = pitch_channels(heard, mean)
            parts.append(seen)
            if self.prior is not None:
                expected = self.prior(encoded.hidden, durations, tokens, seen, heard, frames)
                losses["frame_prior"] = masked_mean((mel - expected).abs().mean(-1), frames)
                # the flow adds to the mean and must not bend it
                parts[0] = expected.detach()
        if not flow:
            return losses
        if condition is not None:
            parts.append(condition.unsqueeze(1).expand(-1, mel.shape[1], -1))
        losses["cfm"] = flow_matching_loss(
            lambda x, t: self._velocity(x, parts, frames, t),
            mel,
            frames,
            self.config.sigma_min,
            generator,
            self._gaussian,
            self.config.decoder.share_at_start,
        )
        return losses

    @torch.inference_mode()
    def plan(
        self,
        ids: Int[Tensor, "batch tokens"],
        id_lengths: Int[Tensor, " batch"],
        tags: Int[Tensor, "batch tokens"] | None = None,
        voice: MatchaVoice | None = None,
        prosody_voice: MatchaVoice | None = None,
        length_scale: float = 1.0,
        durations: Int[Tensor, "batch tokens"] | Retime | None = None,
        voicing: Float[Tensor, "batch tokens"] | None = None,
    ) -> SpeechPlan:
        """Decide durations and melody.

        Args:
            ids: Symbols, padded with zeros.
            id_lengths: Valid symbols.
            tags: Second stream of ids.
            voice: Whose voice is heard.
            prosody_voice: Whose tempo and melody are followed, moved to the pitch of `voice`;
                None is `voice` itself.
            length_scale: Factor on predicted durations.
            durations: Taken in place of predicted ones, or a function that makes them from
                those; at least 1 each.
            voicing: Added to the logit of voicing on the frames of each symbol.

        Raises:
            InputError: If ids, lengths, durations or the voice do not fit the model.
        """
        check_ids(ids, id_lengths, tags, self.config)
        voice = voice or MatchaVoice()
        mask = length_mask(id_lengths, ids.shape[1])
        condition = self.condition(voice)
        encoded = prosody = self.encoder(ids, self._tags(tags), mask, condition)
        if prosody_voice is not None:
            manner = self.condition(prosody_voice)
            prosody = self.encoder(ids, self._tags(tags), mask, manner)
        if not isinstance(durations, Tensor):
            rounding, change = self.config.duration.rounding, durations
            durations = whole_durations(prosody.log_durations, mask, length_scale, rounding)
            durations = durations if change is None else change(durations)
        if bool(((durations < 1) & mask).any()) or bool((durations * ~mask).any()):
            raise InputError("Durations must be at least 1 frame for each symbol, 0 for padding.")
        return SpeechPlan(
            id_lengths=id_lengths,
            durations=durations,
            hidden=encoded.hidden.float(),
            mu=encoded.mu,
            f0=None if self.pitch is None else self._melody(prosody, durations, voice, voicing),
            condition=condition,
            log2_f0_mean=voice.log2_f0_mean,
        )

    @torch.inference_mode()
    def decode(
        self,
        plan: SpeechPlan,
        seeds: Sequence[int],
        steps: int = 10,
        solver: Solver = "euler",
        temperature: float = 0.667,
        shaping: Float[Tensor, "mels mels"] | None = None,
    ) -> Float[Tensor, "batch mels frames"]:
        """Draw the log-mels of a plan; frames after an utterance's end are 0.

        An utterance depends on its own seed alone, not on its neighbours in the batch.

        Args:
            plan: Durations and melody.
            seeds: One for each utterance.
            steps: Steps of the solver; 0 takes the prior mean as it is, without the flow.
            solver: "euler", "midpoint" or "heun".
            temperature: Deviation of the noise that the flow starts from.
            shaping: Matrix on the bands, whose rows add up to 1, such as another vocal tract;
                with a prior at frame level harmonics stay where F0 puts them.

        Raises:
            InputError: If there is not one seed for each utterance.
        """
        lengths = plan.mel_lengths
        if len(seeds) != len(lengths):
            raise InputError(f"Expected {len(lengths)} seeds, got {len(seeds)}.")
        longest = int(lengths.max())
        padded = padded_length(longest, _MULTIPLE)
        frames = length_mask(lengths, padded)
        tokens = frame_tokens(plan.durations, padded)
        mu = expand(plan.mu, tokens) * frames.unsqueeze(-1)
        parts = [mu]
        if self.pitch is not None:
            f0 = _fitted(_needed(plan.f0, "f0"), padded)
            seen = pitch_channels(f0, _needed(plan.log2_f0_mean, "log2_f0_mean"))
            parts.append(seen)
            if self.prior is not None:
                parts[0] = self.prior(
                    plan.hidden, plan.durations, tokens, seen, f0, frames, shaping
                )
        if plan.condition is not None:
            parts.append(plan.condition.unsqueeze(1).expand(-1, padded, -1))
        x = parts[0]
        if steps:
            noise = seeded_noise(seeds, lengths.tolist(), padded, self.config.n_mels).to(mu)
            x = integrate(
                lambda x, t: self._velocity(x, parts, frames, t),
                noise * temperature,
                steps,
                solver,
            )
        mel = (x * self.mel_std + self.mel_mean) * frames.unsqueeze(-1)
        if shaping is not None and self.prior is None:
            mel = mel @ shaping.T
        return mel[:, :longest].transpose(1, 2).contiguous()

    def synthesise(
        self,
        ids: Int[Tensor, "batch tokens"],
        id_lengths: Int[Tensor, " batch"],
        seeds: Sequence[int],
        tags: Int[Tensor, "batch tokens"] | None = None,
        voice: MatchaVoice | None = None,
        length_scale: float = 1.0,
        steps: int = 10,
        temperature: float = 0.667,
    ) -> tuple[Float[Tensor, "batch mels frames"], SpeechPlan]:
        """Return log-mels and the plan they follow: `plan`, then `decode`."""
        plan = self.plan(ids, id_lengths, tags, voice, length_scale=length_scale)
        return self.decode(plan, seeds, steps=steps, temperature=temperature), plan

    def condition(self, voice: MatchaVoice) -> Float[Tensor, "batch condition"] | None:
        """Return what encoder and decoder see of a voice.

        Raises:
            InputError: If the voice is not of the kind that this model takes.
        """
        if self.config.speakers == "none":
            return None
        if self.config.speakers == "table":
            ids = _needed(voice.speaker_ids, "speaker_ids")
            if bool((ids < 0).any()) or bool((ids >= self.config.num_speakers).any()):
                raise InputError(
                    f"Speakers are 0 to {self.config.num_speakers - 1}, got {ids.tolist()}."
                )
            return self.spk_emb(ids)
        embedding = _needed(voice.speaker_embedding, "speaker_embedding")
        if embedding.shape[-1] != self.config.speaker_dim:
            raise InputError(
                f"Expected speaker embeddings of {self.config.speaker_dim} numbers, got "
                f"{embedding.shape[-1]}."
            )
        mean = _needed(voice.log2_f0_mean, "log2_f0_mean") - REFERENCE_LOG2_F0
        # a unit vector has elements of deviation dim ** -0.5
        spread = embedding * math.sqrt(embedding.shape[-1])
        return self.speaker(torch.cat([spread, mean.unsqueeze(-1)], -1)).float()

    def _dropped(
        self, condition: Tensor | None, generator: torch.Generator | None
    ) -> Tensor | None:
        share = self.config.speaker_dropout
        if condition is None or not self.training or share == 0.0:
            return condition
        kept = torch.rand(len(condition), 1, generator=generator) >= share
        return condition * kept.to(condition)

    def _tags(self, tags: Tensor | None) -> Tensor | None:
        return _needed(tags, "tags") if self.config.num_tags else None

    def _normalised(self, mel: Tensor) -> Tensor:
        """Return (batch, frames, mels), padded to a multiple of four frames."""
        frames = mel.shape[-1]
        mel = (mel.float() - self.mel_mean) / self.mel_std
        pad = padded_length(frames, _MULTIPLE) - frames
        return nn.functional.pad(mel, (0, pad)).transpose(1, 2).contiguous()

    def _durations(self, batch: MatchaBatch, mu: Tensor, mel: Tensor) -> Tensor:
        if self.config.alignment == "given":
            return _needed(batch.durations, "durations")
        scores = gaussian_log_likelihood(mel, mu.detach())
        return monotonic_durations(scores, batch.id_lengths, batch.mel_lengths)

    def _pitch_losses(
        self,
        encoded: EncodedText,
        durations: Tensor,
        tokens: Tensor,
        frames: Tensor,
        f0: Tensor,
        mean: Tensor,
    ) -> dict[str, Tensor]:
        assert self.pitch is not None
        hidden = scale_gradient(encoded.hidden, self.config.prosody_gradient)
        octaves, voicing = self.pitch(hidden, durations, tokens, frames)
        voiced = f0 > 0
        target = torch.log2(f0.clamp(min=1.0)) - mean[:, None]
        error, entropy = pitch_losses(octaves, voicing, target, voiced, frames)
        return {"pitch": error, "voicing": entropy}

    def _shifted(self, f0: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return the F0 that the decoder sees, in training slightly shifted."""
        noise = self.config.pitch.noise if self.config.pitch is not None else 0.0
        if self.training and noise > 0:
            shift = torch.randn(len(f0), 1, generator=generator).to(f0)
            f0 = f0 * torch.exp2(noise * shift)
        return f0

    def _melody(
        self,
        prosody: EncodedText,
        durations: Tensor,
        voice: MatchaVoice,
        more_voicing: Tensor | None,
    ) -> Tensor:
        assert self.pitch is not None
        lengths = durations.sum(1)
        length = int(lengths.max())
        frames = length_mask(lengths, length)
        tokens = frame_tokens(durations, length)
        octaves, voicing = self.pitch(prosody.hidden, durations, tokens, frames)
        if more_voicing is not None:
            voicing = voicing + more_voicing.gather(1, tokens)
        mean = _needed(voice.log2_f0_mean, "log2_f0_mean")
        return torch.exp2(octaves + mean[:, None]) * ((voicing > 0) & frames)

    def _velocity(
        self, x: Tensor, parts: list[Tensor], frames: Bool[Tensor, "batch frames"], t: Tensor
    ) -> Tensor:
        field, mean = self._gaussian, parts[0]
        if field is None:
            return self.decoder.estimator(torch.cat([x, *parts], -1), frames, t).float()
        seen = torch.cat([field.whitened(x, mean, t), *parts], -1)
        found = self.decoder.estimator(seen, frames, t).float()
        known = field.velocity(x, mean, t) + field.deviation(t)[:, None, None] * found
        return known * frames.unsqueeze(-1)


def _needed(value: Tensor | None, name: str) -> Tensor:
    if value is None:
        raise InputError(f"This acoustic model needs {name}; give it with the utterance or voice.")
    return value


def _prior_loss(mel: Tensor, mu: Tensor, frames: Tensor) -> Tensor:
    error = 0.5 * ((mel - mu).square() + math.log(2 * math.pi))
    return masked_mean(error.mean(-1), frames)


def _fitted(f0: Tensor, length: int) -> Tensor:
    return nn.functional.pad(f0, (0, length - f0.shape[1]))
