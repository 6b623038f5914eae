"""What this machine's processor can do."""

from pathlib import Path

_UNITS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def cpu_computes_in_bf16() -> bool:
    """Tell whether the processor multiplies in bfloat16 itself, without emulation."""
    flags = processor_lines("flags") + processor_lines("Features")
    return any(_UNITS & set(line.split()) for line in flags)


def processor_lines(key: str) -> list[str]:
    """Return the values of a key in Linux's list of processors; none on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return []
    return [line.partition(":")[2].strip() for line in lines if line.startswith(key)]
