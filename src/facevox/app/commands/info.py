"""`facevox info`: version, systems, weights, licences."""

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from facevox import __version__
from facevox.app import options


def info(as_json: options.JsonOption = False) -> None:
    """Show the version, the systems and the weights that are installed."""
    from dataclasses import asdict

    from facevox.core.checkpoint import WEIGHTS, installed_weights
    from facevox.systems.registry import SYSTEMS

    systems = [asdict(options.load_system(name).info()) for name in sorted(SYSTEMS)]
    weights = installed_weights()
    facts: dict[str, Any] = {
        "facevox": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "torch": _version("torch"),
        "weights_folder": str(WEIGHTS),
        "weights": weights,
        "systems": systems,
    }
    if as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    lines = [f"{name:16}{facts[name]}" for name in ("facevox", "python", "platform", "torch")]
    lines.append(f"{'weights':16}{WEIGHTS}")
    for row in weights:
        lines.append(f"  {row['name']:34}{row['bytes'] / 1e6:7.2f} MB  {row['licence']}")
    for row in systems:
        lines.append(f"{'system ' + row['name']:16}{row['summary']}")
        lines.append(f"{'':16}voice {row['voice']}; {row['parameters']:,} parameters")
    sys.stdout.write("\n".join(lines) + "\n")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
