"""Ctrl-C and SIGTERM as a wish to stop between two steps."""

import signal
from collections.abc import Callable
from types import TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """While entered, the first signal only sets `asked`; a second one does what it did before.

    Args:
        asked: Called at the first signal.
    """

    def __init__(self, asked: Callable[[], None] = lambda: None) -> None:
        self.asked = False
        self._tell = asked
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        """Start to listen."""
        self._before = {one: signal.signal(one, self._ask) for one in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        self._give_back()

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True
        self._give_back()
        self._tell()

    def _give_back(self) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)
