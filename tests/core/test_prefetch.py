import threading
import time

import pytest

from facevox.core.prefetch import ordered_map, prefetch


def test_order_is_kept():
    assert list(prefetch(iter(range(100)), 3)) == list(range(100))
    assert list(ordered_map(lambda x: x * x, range(50), workers=3)) == [x * x for x in range(50)]
    assert list(ordered_map(str, range(3), workers=1)) == ["0", "1", "2"]


def test_only_a_few_items_are_made_ahead():
    made = []
    items = prefetch((made.append(i) or i for i in range(1000)), 4)
    next(items)
    time.sleep(0.2)
    assert len(made) <= 7
    items.close()


def test_a_failure_comes_after_the_items_before_it():
    def items():
        yield 1
        yield 2
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        for item in prefetch(items()):
            seen.append(item)
    assert seen == [1, 2]


def test_a_failure_in_a_worker_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda x: 1 // x, [1, 0, 1], workers=2))


def test_leaving_early_stops_the_thread():
    before = threading.active_count()
    for item in prefetch(iter(range(10**9))):
        if item == 3:
            break
    time.sleep(0.3)
    assert threading.active_count() <= before
