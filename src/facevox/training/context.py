"""What a step sees of the run: networks, `backward`, `update`, and which process it is.

Devices, precision and the exchange of gradients are Lightning Fabric's; this file only
says when.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.errors import CheckpointError, TrainingError
from facevox.training.ema import MovingAverage
from facevox.training.random_state import frozen_random_state
from facevox.training.settings import RunSettings


class Context:
    """The run as a task's step sees it.

    Attributes:
        settings: Settings of the loop.
        step: Updates done so far, 0 in the first step.
        plain: The networks as the task made them.
        averages: Moving averages by network.
        norms: Norm of the last gradient of each optimiser, before clipping.
        skipped: Updates left out because their gradient was not finite.
    """

    def __init__(
        self,
        fabric: Fabric,
        networks: Mapping[str, nn.Module],
        optimizers: Mapping[str, Optimizer],
        schedules: Mapping[str, LRScheduler],
        settings: RunSettings,
        *,
        averaged: tuple[str, ...] = (),
        forward_methods: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.fabric = fabric
        self.settings = settings
        self.plain = dict(networks)
        self.optimizers = dict(optimizers)
        self.schedules = dict(schedules)
        self.step = 0
        self.norms: dict[str, float] = {}
        self.skipped = 0
        self._bad_in_a_row = 0
        self._scale = 1.0
        self._last = True
        self._evaluating = False
        methods = forward_methods or {}
        self._wrapped = {
            name: _set_up(fabric, module, methods.get(name, ()))
            for name, module in networks.items()
        }
        self._set_up_optimizers: dict[str, Any] = {
            name: fabric.setup_optimizers(optimizer) for name, optimizer in optimizers.items()
        }
        self.averages = {name: MovingAverage(networks[name], settings.ema) for name in averaged}

    def __getitem__(self, name: str) -> nn.Module:
        """Return a network to call: `forward`, or a method in `Task.forward_methods`.

        Only these run in the precision of the run and exchange gradients.
        """
        return self.plain[name] if self._evaluating else self._wrapped[name]

    @property
    def device(self) -> torch.device:
        """Where the networks are; batches arrive there."""
        return self.fabric.device

    @property
    def progress(self) -> float:
        """Part of the run's steps that is done, 0 to 1."""
        return min(1.0, self.step / self.settings.steps)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a mean loss, weighted by `Task.weight`."""
        self.fabric.backward(loss * self._scale)

    def update(self, name: str, *, clip: float | None = None) -> None:
        """Clip, step one optimiser, clear its gradients, move averages and schedule.

        With accumulation nothing happens before the last batch of the step.  A gradient that
        is not finite (the same in all processes) is thrown away.

        Args:
            name: The optimiser.
            clip: Largest norm instead of the one in the settings.

        Raises:
            TrainingError: If too many gradients in a row were not finite.
        """
        if not self._last:
            return
        optimizer, own = self._set_up_optimizers[name], self.optimizers[name]
        limit = clip if clip is not None else self.settings.clip
        parameters = [value for group in own.param_groups for value in group["params"]]
        with_gradient = [value for value in parameters if value.grad is not None]
        # the norm needs no unscaling: bf16 and float32 have no loss scale
        norm = nn.utils.clip_grad_norm_(with_gradient, limit if limit is not None else math.inf)
        self.norms[name] = float(norm)
        if math.isfinite(self.norms[name]):
            optimizer.step()
            self._bad_in_a_row = 0
            self._move_averages(parameters)
        else:
            self._skip(name)
        optimizer.zero_grad()
        if name in self.schedules:
            self.schedules[name].step()

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Let losses flow through networks without giving them gradients.

        A generator's step is made under `frozen("discriminator")`: forward and backward.
        """
        parameters = [v for name in names for v in self.plain[name].parameters() if v.requires_grad]
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(self._without_exchange(name))
            for value in parameters:
                value.requires_grad_(False)
            try:
                yield
            finally:
                for value in parameters:
                    value.requires_grad_(True)

    @contextmanager
    def batch(self, scale: float, *, last: bool) -> Iterator[None]:
        """Set what one batch of a step counts; gradients are exchanged with the last."""
        self._scale, self._last = scale, last
        with ExitStack() as stack:
            if not last:
                for name in self._wrapped:
                    stack.enter_context(self._without_exchange(name))
            yield

    @contextmanager
    def evaluating(self, seed: int) -> Iterator[None]:
        """Apply averages, switch to evaluation without gradients, and seed on the side.

        Afterwards weights, modes and random states are what they were.
        """
        modes = {module: module.training for net in self.plain.values() for module in net.modules()}
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(frozen_random_state(seed))
            for average in self.averages.values():
                stack.enter_context(average.applied())
            for network in self.plain.values():
                network.eval()
            self._evaluating = True
            try:
                yield
            finally:
                self._evaluating = False
                for module, mode in modes.items():
                    module.training = mode

    def states(self) -> dict[str, Any]:
        """Return all that learns, as nested states by name."""
        return {
            "networks": {name: net.state_dict() for name, net in self.plain.items()},
            "averages": {name: one.state_dict() for name, one in self.averages.items()},
            "optimizers": {name: one.state_dict() for name, one in self.optimizers.items()},
            "schedules": {name: one.state_dict() for name, one in self.schedules.items()},
        }

    def load_states(self, states: Mapping[str, Any], updates: Mapping[str, int]) -> None:
        """Take back what `states` returned.

        Args:
            states: Nested states.
            updates: Number of updates of each average.

        Raises:
            CheckpointError: If they do not fit.
        """
        try:
            for name, network in self.plain.items():
                network.load_state_dict(states["networks"][name])
            for name, average in self.averages.items():
                average.load(states["averages"][name], updates[name])
            for name, optimizer in self.optimizers.items():
                optimizer.load_state_dict(states["optimizers"][name])
            for name, schedule in self.schedules.items():
                schedule.load_state_dict(states["schedules"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(
                f"The checkpoint does not fit these networks ({reason[:300]})."
            ) from error

    def share_buffers(self) -> None:
        """Give all processes the first one's buffers (means of batch normalisation)."""
        if self.fabric.world_size > 1:
            for network in self.plain.values():
                for buffer in network.buffers():
                    buffer.copy_(self.fabric.broadcast(buffer))

    def _without_exchange(self, name: str) -> Any:
        wrapped = self._wrapped[name]
        if self.fabric.world_size == 1 or wrapped is self.plain[name]:
            return ExitStack()
        return self.fabric.no_backward_sync(wrapped)  # type: ignore[arg-type]

    def _move_averages(self, parameters: list[nn.Parameter]) -> None:
        updated = {id(value) for value in parameters}
        for name, average in self.averages.items():
            if any(id(value) in updated for value in self.plain[name].parameters()):
                average.update()

    def _skip(self, name: str) -> None:
        self.skipped += 1
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= self.settings.max_bad_steps:
            raise TrainingError(
                f"The gradient of {name!r} was not finite {self._bad_in_a_row} times in a row "
                f"(step {self.step + 1}); the last checkpoint is kept: resume with a smaller "
                "learning rate or --set run.precision=32-true."
            )


def _set_up(fabric: Fabric, network: nn.Module, methods: tuple[str, ...]) -> nn.Module:
    """Give a network to Fabric; one without anything to learn is only moved."""
    if not any(value.requires_grad for value in network.parameters()):
        return network.to(fabric.device)
    wrapped = fabric.setup_module(network)
    for method in methods:
        wrapped.mark_forward_method(method)
    return wrapped
