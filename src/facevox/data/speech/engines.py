"""Ways to run one function over many utterances, the results in order.

All give the same results: the function depends on nothing but its argument.
"""

import logging
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

from facevox.core.errors import ConfigError, DataError, MissingPiece
from facevox.data.speech.clip import Dropped, Prepared, prepare_clip
from facevox.data.speech.settings import PrepareSettings
from facevox.data.speech.utterance import Utterance

Result = TypeVar("Result")
ENGINES = ("process", "ray")

_AHEAD = 4
"""Utterances in work for each process."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def prepare_all(
    utterances: Sequence[Utterance], settings: PrepareSettings, *, engine: str, jobs: int
) -> Iterator[Prepared | Dropped]:
    """Yield what becomes of each utterance, in order.

    Args:
        utterances: What to prepare.
        settings: How.
        engine: `process` or `ray`.
        jobs: Processes; with `process`, 1 works in this one.

    Raises:
        ConfigError: If there is no such engine, or Ray cannot be reached where it should be.
        MissingPiece: If Ray is asked for and not installed.
        DataError: If a process dies.
    """
    if engine not in ENGINES:
        raise ConfigError(f"There is no engine {engine!r}; there are: {', '.join(ENGINES)}.")
    work = partial(prepare_clip, settings=settings)
    if engine == "ray":
        return _with_ray(utterances, work, jobs)
    if jobs == 1:
        return map(work, utterances)
    return _with_processes(utterances, work, jobs)


def _with_processes(
    utterances: Sequence[Utterance],
    work: Callable[[Utterance], Prepared | Dropped],
    jobs: int,
) -> Iterator[Prepared | Dropped]:
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        waiting: deque[tuple[Utterance, Future[Prepared | Dropped]]] = deque()
        for utterance in utterances:
            waiting.append((utterance, pool.submit(work, utterance)))
            if len(waiting) >= _AHEAD * jobs:
                yield waiting.popleft()[1].result()
        while waiting:
            yield waiting.popleft()[1].result()
    except BrokenProcessPool as error:
        raise DataError(
            f"A process died, perhaps of {waiting[0][0].sound if waiting else 'the last file'} or "
            "of too little memory; run again to go on, or take that file away."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _with_ray(
    utterances: Sequence[Utterance],
    work: Callable[[Utterance], Prepared | Dropped],
    jobs: int,
) -> Iterator[Prepared | Dropped]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingPiece("The engine ray needs Ray; run pip install 'facevox[scale]'.") from error
    if not ray.is_initialized():
        # a cluster is found by RAY_ADDRESS; else one is made on this machine
        address = os.environ.get("RAY_ADDRESS")
        try:
            ray.init(
                num_cpus=None if address else jobs,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except ConnectionError as error:
            raise ConfigError(
                f"Ray at RAY_ADDRESS={address} cannot be reached ({error}); check the address, or "
                "leave it unset to work on this machine."
            ) from error
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [{"number": number} for number in range(len(utterances))]
    listed = ray.put(list(utterances))

    def run(row: dict[str, int]) -> dict[str, object]:
        return {"result": work(ray.get(listed)[row["number"]])}

    results = ray.data.from_items(rows, override_num_blocks=_blocks(len(rows))).map(run)
    for row in results.iter_rows():
        yield row["result"]


def _blocks(count: int) -> int:
    """Return into how many pieces of about thirty utterances the work is divided."""
    return max(1, count // 32)
