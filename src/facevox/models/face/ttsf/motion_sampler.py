"""Motions drawn for what is spoken: head and expression as a flow from noise to motion.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.2 (equations 4 to 7).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from facevox.models.face.ttsf.motion_normaliser import MotionNormaliser
from facevox.models.face.ttsf.motion_prior import MotionPrior, prior_loss
from facevox.models.face.ttsf.motion_stream import MotionStream
from facevox.models.face.ttsf.sampler_config import MotionSamplerConfig
from facevox.nn.flow_matching import GaussianField, flow_matching_loss, integrate
from facevox.nn.masks import masked_mean, padded_length
from facevox.nn.unet1d import VelocityUnet


class MotionSampler(nn.Module):
    """Normaliser, prior and velocity field.

    Args:
        config: Sizes.
    """

    def __init__(self, config: MotionSamplerConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.normaliser.compressed_dim
        self.normaliser = MotionNormaliser(config.motion_dim, config.normaliser)
        self.prior = MotionPrior(config.style_dim, dim, config.prior)
        self.unet = VelocityUnet(2 * dim, dim, config.unet)
        self._field = None if config.spread is None else GaussianField(config.spread)
        if self._field is not None:
            # at first the Gaussian around the prior's mean is all there is
            for parameter in self.unet.final_proj.parameters():
                nn.init.zeros_(parameter)

    def losses(
        self,
        f_m: Float[Tensor, "batch frames style"],
        f_lip: Float[Tensor, "batch frames style"],
        mask: Bool[Tensor, "batch frames"],
        directions: Float[Tensor, "style motion"],
        generator: torch.Generator | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the losses "cfm" (equation 6), "ae" and "prior" (equation 7), unweighted.

        f_c is a target without gradient: the normaliser could otherwise please the prior by
        making it small.

        Args:
            f_m: Motions of a window of frames; the first one is given to the prior.
            f_lip: Lips of the same frames.
            mask: Valid frames.
            directions: Orthonormal columns Q with f_m = Q alpha.
            generator: Source of noise and times, on the CPU.
        """
        if not self.config.motion_gradient:
            f_m, directions = f_m.detach(), directions.detach()
        if not self.config.lip_gradient:
            f_lip = f_lip.detach()
        f_c, again = self.normaliser(f_m, directions, mask)
        target = self.normaliser.standardised(f_c.detach()) * mask.unsqueeze(-1)
        mu = self.prior(f_m[:, 0], f_lip, mask)
        shifted = self.config.prior_mode == "mean_shifted"
        cfm = flow_matching_loss(
            lambda x, t: self.velocity(x, mu, mask, t),
            target,
            mask,
            self.config.sigma_min,
            generator,
            self._field,
            start_mean=mu.float() if shifted else None,
            memory=self.config.noise_memory,
        )
        error = (again.float() - f_m.float()).square().mean(-1)
        return {"cfm": cfm, "ae": masked_mean(error, mask), "prior": prior_loss(target, mu, mask)}

    def velocity(
        self,
        x: Float[Tensor, "batch frames dim"],
        mu: Float[Tensor, "batch frames dim"],
        mask: Bool[Tensor, "batch frames"],
        t: Float[Tensor, " batch"],
    ) -> Float[Tensor, "batch frames dim"]:
        """Return dx/dt, for any number of frames; 0 where padded.

        Args:
            x: State of the flow.
            mu: Mean of the prior.
            mask: Valid frames.
            t: Time of each sequence in [0, 1].
        """
        if self._field is None:
            return self._network(x, mu, mask, t)
        mean = mu.to(x.dtype)
        if self.config.prior_mode == "mean_shifted":
            x, mean = x - mean, torch.zeros_like(mean)
        found = self._network(self._field.whitened(x, mean, t), mu, mask, t)
        known = self._field.velocity(x, mean, t) + self._field.deviation(t)[:, None, None] * found
        return known * mask.unsqueeze(-1)

    def _network(self, x: Tensor, mu: Tensor, mask: Tensor, t: Tensor) -> Tensor:
        frames = x.shape[1]
        spare = padded_length(frames, self.config.unet.multiple) - frames
        joined = torch.cat([x, mu.to(x.dtype)], -1) * mask.unsqueeze(-1)
        joined = nn.functional.pad(joined, (0, 0, 0, spare))
        return self.unet(joined, nn.functional.pad(mask, (0, spare)), t)[:, :frames].float()

    @torch.no_grad()
    def draw(
        self,
        f_m0: Float[Tensor, "batch style"],
        f_lip: Float[Tensor, "batch frames style"],
        mask: Bool[Tensor, "batch frames"],
        noise: Float[Tensor, "batch frames dim"],
        directions: Float[Tensor, "style motion"],
        steps: int,
    ) -> Float[Tensor, "batch frames style"]:
        """Return the motions that noise flows to, all frames at once; 0 where padded.

        Args:
            f_m0: Motion of the first frame.
            f_lip: Lips of all frames.
            mask: Valid frames.
            noise: N(0, temperature^2).
            directions: Orthonormal columns Q.
            steps: Euler steps.
        """
        mu = self.prior(f_m0, f_lip, mask).float()
        start = mu + noise if self.config.prior_mode == "mean_shifted" else noise
        x = integrate(lambda x, t: self.velocity(x, mu, mask, t).float(), start, steps)
        return self.normaliser.decode(self.normaliser.restored(x), directions, mask)

    def sample(
        self,
        f_m0: Float[Tensor, "batch style"],
        f_lip: Float[Tensor, "batch frames style"],
        seeds: Sequence[int],
        directions: Float[Tensor, "style motion"],
        mask: Bool[Tensor, "batch frames"] | None = None,
        steps: int = 10,
        temperature: float = 1.0,
    ) -> Float[Tensor, "batch frames style"]:
        """Return motions of sequences of any length.

        A sequence's motions depend on its own inputs and seed alone.

        Args:
            f_m0: Motion of the source.
            f_lip: Lips of all frames.
            seeds: One for each sequence.
            directions: Orthonormal columns Q of the motion dictionary.
            mask: Valid frames; None for all.
            steps: Euler steps.
            temperature: Factor on the noise.
        """
        stream = self.stream(f_m0, seeds, directions, steps, temperature)
        return stream.extend(f_lip, mask)

    def stream(
        self,
        f_m0: Float[Tensor, "batch style"],
        seeds: Sequence[int],
        directions: Float[Tensor, "style motion"],
        steps: int = 10,
        temperature: float = 1.0,
    ) -> MotionStream:
        """Return a sequence that grows sentence by sentence; see `sample`."""
        config = self.config
        return MotionStream(
            lambda first, lips, mask, noise: self.draw(
                first, lips, mask, temperature * noise, directions, steps
            ),
            f_m0,
            seeds,
            config.normaliser.compressed_dim,
            config.chunk,
            config.overlap,
            config.noise_memory,
        )
