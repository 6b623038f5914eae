"""What a run tells of itself."""

import subprocess
import sys

import numpy as np

PROGRAM = "from facevox.app.report import peak_memory_bytes; print(peak_memory_bytes())"


def peak_of_a_child() -> int:
    return int(
        subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True).stdout
    )


def test_peak_memory_is_this_process_own_not_that_of_the_one_that_started_it():
    before = peak_of_a_child()
    assert before > 5e6
    ballast = np.ones(60_000_000)  # 480 MB
    assert peak_of_a_child() < before + 100e6
    assert ballast[-1] == 1


def test_peak_memory_sees_what_was_used():
    program = f"x = b'1' * 300_000_000; {PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) > 300e6
