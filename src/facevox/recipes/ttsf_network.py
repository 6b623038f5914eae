"""Speech and face as one network, as they are trained together.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, figure 2.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.face.lia.generator import Source
from facevox.models.face.lia.motion import Parts
from facevox.models.face.ttsf.talking_head import TalkingHead, TalkingHeadConfig
from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.driving_features import driving_features
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.models.speech.matcha.pitch_predictor import REFERENCE_LOG2_F0
from facevox.recipes.ttsf_settings import JointSettings, fitted
from facevox.recipes.warm_up_network import batch_controls


class JointNetwork(nn.Module):
    """The talking head and the acoustic model.

    Args:
        settings: Of the recipe.
        half: Whether pictures go through the generator in bfloat16.
    """

    def __init__(self, settings: JointSettings, half: bool) -> None:
        super().__init__()
        model = fitted(settings.model)
        self.model, self._half = model, half
        self._speaks, self._moves = settings.loss.tts > 0, _samples(settings)
        self._told, self._made_share = settings.loss.lips > 0, settings.data.made_share
        self.head = TalkingHead(
            TalkingHeadConfig(generator=model.generator, mapper=model.mapper, sampler=model.sampler)
        )
        self.matcha = MatchaTTS(model.matcha)

    def forward(
        self,
        speech: MatchaBatch,
        source: Float[Tensor, "batch 3 side side"],
        frames: Float[Tensor, "batch time 3 side side"],
        start: Int[Tensor, " batch"],
        rendered: Int[Tensor, "batch pictures"],
        place: Float[Tensor, "batch 3"],
        mouth: Float[Tensor, "batch time 7"],
        found: Bool[Tensor, "batch time"],
    ) -> tuple[dict[str, Tensor], Float[Tensor, "batch pictures 3 side side"]]:
        """Return the losses of speech ("tts:...") and motion, and the pictures that are made.

        Args:
            speech: Whole utterances.
            source: One picture of each speaker.
            frames: Consecutive pictures, which give the motion.
            start: First of them on the timeline of the sound.
            rendered: Which of them are made again.
            place: Where the mouth lies in each source (`mouth_place`).
            mouth: Coefficients and gap of the recorded lips.
            found: Where they are known.
        """
        batch, time = frames.shape[:2]
        given, f_m = self._watched(source, frames, rendered)
        voiced = replace(speech, **self._voice(given.parts))
        losses: dict[str, Tensor] = {}
        if self._speaks:
            spoken = self.matcha.losses(voiced)
            losses |= {f"tts:{name}": loss for name, loss in spoken.items()}
        f_lip = self.lips(voiced, start, time, self._to_make(batch))
        if self._told:
            losses["lips"] = self._lip_distance(f_lip, mouth, found)
        if self._moves:
            mask = torch.ones(batch, time, dtype=torch.bool, device=f_m.device)
            drawn = f_m - self._start(given)
            losses |= self.head.sampler.losses(drawn, f_lip, mask, self.directions())
        return losses, self.pictures(given, _at(f_m, rendered), _at(f_lip, rendered), place)

    def lips(
        self,
        speech: MatchaBatch,
        start: Int[Tensor, " batch"],
        frames: int,
        made: Sequence[int] = (),
    ) -> Float[Tensor, "batch frames style"]:
        """Return the lip features of a window of each utterance.

        Args:
            speech: Whole utterances with their voices.
            start: First picture of each window.
            frames: Pictures of a window.
            made: Utterances whose energy is not the recorded one.
        """
        heard = driving_features(self.matcha, speech, made)
        mapper = self.head.mapper
        joined = mapper.join(heard.embedding, heard.text, heard.energy)
        return mapper(joined, heard.mask, start, frames).float()

    def drawn(
        self,
        given: Source,
        f_lip: Float[Tensor, "batch frames style"],
        seeds: list[int],
    ) -> Float[Tensor, "batch frames style"]:
        """Return motions that the sampler draws for sources and what they say."""
        start = self._start(given)
        first = (given.parts.f_m[:, None] - start)[:, 0]
        return start + self.head.sampler.sample(first, f_lip, seeds, self.directions())

    def directions(self) -> Float[Tensor, "style motion"]:
        """Return the orthonormal directions of motion."""
        return self.head.generator.extractor.dictionary.directions()

    def voiced(
        self, speech: MatchaBatch, source: Float[Tensor, "batch 3 side side"]
    ) -> tuple[MatchaBatch, Source]:
        """Return utterances with the voices of faces, and what is seen of these."""
        given, _ = self._seen(source, source[:, None])
        return replace(speech, **self._voice(given.parts)), given

    def voice_of(
        self, pictures: Float[Tensor, "batch 3 side side"]
    ) -> Float[Tensor, "batch style"]:
        """Return what the acoustic model is given of faces, of unit length."""
        given, _ = self._seen(pictures, pictures[:, None])
        return self._voice(given.parts)["speaker_embedding"]

    def pictures(
        self,
        given: Source,
        f_m: Float[Tensor, "batch pictures style"],
        f_lip: Float[Tensor, "batch pictures style"],
        place: Float[Tensor, "batch 3"],
    ) -> Float[Tensor, "batch pictures 3 side side"]:
        """Return pictures of the sources with these motions, lips and places of mouths."""
        batch, count = f_m.shape[:2]
        parts = given.parts
        many = Source(
            parts=Parts(
                f_id=_each(parts.f_id, count),
                f_m=_each(parts.f_m, count),
                alpha=_each(parts.alpha, count),
            ),
            maps=[_each(m, count) for m in given.maps],
            pictures=_each(given.pictures, count),
        )
        with torch.autocast(f_m.device.type, enabled=False):
            motion, lips = f_m.flatten(0, 1).float(), f_lip.flatten(0, 1).float()
            controls = None
            if self.model.generator.mean_flow:
                change = motion @ self.directions() - many.parts.alpha
                # the numbers are read off; only the styles teach mapper and extractor
                with torch.no_grad():
                    read = self.head.mouth.read(lips), self.head.motion.read(change)
                codes = self.head.mouth, self.head.motion
                controls = batch_controls(*codes, *read, _each(place, count))
            made = self.head.generator(many, motion, lips, controls)
        return made.picture.unflatten(0, (batch, count))

    def _watched(
        self, source: Tensor, frames: Tensor, rendered: Tensor
    ) -> tuple[Source, Float[Tensor, "batch time style"]]:
        """Return the sources, and the motion of all frames."""
        batch, time = frames.shape[:2]
        if self.model.sampler.motion_gradient:
            given, parts = self._seen(source, frames)
            return given, parts.f_m.unflatten(0, (batch, time))
        # nothing is learnt from pictures that are not made again: a step costs a third
        with torch.no_grad():
            _, parts = self._seen(source[:0], frames)
        f_m = parts.f_m.unflatten(0, (batch, time))
        rows = torch.arange(batch, device=frames.device)[:, None]
        given, taught = self._seen(source, frames[rows, rendered])
        again = taught.f_m.unflatten(0, (batch, -1))
        index = rendered[:, :, None].expand(-1, -1, f_m.shape[2])
        return given, f_m.scatter(1, index, again)

    def _lip_distance(
        self,
        f_lip: Float[Tensor, "batch time style"],
        mouth: Float[Tensor, "batch time 7"],
        found: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, ""]:
        """Return the mean absolute error of the mouth that f_lip tells, in its units."""
        units = self.head.mouth.units[: mouth.shape[-1]]
        error = (self.head.mouth.read(f_lip)[..., : mouth.shape[-1]] - mouth) / units
        return (error.abs().mean(-1) * found).sum() / found.sum().clamp(min=1)

    def _to_make(self, batch: int) -> list[int]:
        """Draw the utterances whose energy is not the recorded one."""
        if not self.training or not self._speaks or not self.model.mapper.energy:
            return []
        return torch.nonzero(torch.rand(batch) < self._made_share).flatten().tolist()

    def _seen(self, source: Tensor, frames: Tensor) -> tuple[Source, Parts]:
        """Return the sources, and identity and motion of all frames in a row."""
        count = len(source)
        pixels = torch.cat([source, frames.flatten(0, 1)])
        if self._half:
            pixels = pixels.bfloat16()
        # the networks follow their input: autocast would also round flows and blurs
        with torch.autocast(pixels.device.type, enabled=False):
            feature, maps = self.head.generator.encoder(
                pixels.contiguous(memory_format=torch.channels_last)
            )
            parts = self.head.generator.extractor(feature)
        own, other = (
            Parts(f_id=parts.f_id[rows], f_m=parts.f_m[rows], alpha=parts.alpha[rows])
            for rows in (slice(count), slice(count, None))
        )
        return Source(parts=own, maps=[m[:count] for m in maps], pictures=source), other

    def _start(self, given: Source) -> Tensor:
        """Return what motions are relative to, (batch, 1, style): the source's, or nothing."""
        f_m = given.parts.f_m[:, None]
        return f_m if self.model.motion == "relative" else torch.zeros_like(f_m)

    def _voice(self, parts: Parts) -> dict[str, Tensor]:
        """Return a voice of unit length, the same whatever the pitch of the recording."""
        feature = parts.f_id if self.model.voice == "identity" else parts.f_id + parts.f_m
        if not self.model.voice_gradient:
            feature = feature.detach()
        mean = torch.full((len(feature),), REFERENCE_LOG2_F0, device=feature.device)
        return {
            "speaker_embedding": functional.normalize(feature, dim=-1),
            "log2_f0_mean": mean,
        }


def _samples(settings: JointSettings) -> bool:
    loss = settings.loss
    return max(loss.cfm, loss.ae, loss.prior) > 0


def _at(x: Tensor, index: Tensor) -> Tensor:
    """Return rows of (batch, time, channels)."""
    return x.gather(1, index[:, :, None].expand(-1, -1, x.shape[2]))


def _each(x: Tensor, count: int) -> Tensor:
    """Repeat every row."""
    return x.repeat_interleave(count, 0)
