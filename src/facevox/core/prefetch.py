"""Doing two stages of a stream at once, in order and with bounded memory."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_END = object()


def prefetch(items: Iterable[Item], size: int = 4) -> Iterator[Item]:
    """Yield the items in order while a thread makes up to `size` of them ahead.

    An exception of the producer is raised here, after the items before it.
    Leaving early (or closing the generator) stops the producer.
    """
    ready: queue.Queue = queue.Queue(maxsize=size)
    stopped = threading.Event()
    failure: list[BaseException] = []

    def put(item: object) -> bool:
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.1)
                return True
        return False

    def produce() -> None:
        try:
            for item in items:
                if not put(item):
                    break
        except BaseException as error:  # handed over to the consumer, whatever it is
            failure.append(error)
        finally:
            put(_END)

    thread = threading.Thread(target=produce, name="facevox-prefetch", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            yield item
        if failure:
            raise failure[0]
    finally:
        stopped.set()
        thread.join()


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int,
    initializer: Callable[[], object] | None = None,
) -> Iterator[Result]:
    """Yield function(item) in order, computed by `workers` threads.

    At most two results per worker wait; one worker means no thread at all.

    Args:
        function: What is done.
        items: To these.
        workers: Threads.
        initializer: Called once in each thread.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers, "facevox-render", initializer) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
