"""Learning curves of a run as one picture, if matplotlib is installed."""

from pathlib import Path

from facevox.training.logs import LOSSES, VALIDATION, read_table

CURVES = "curves.png"
_COLUMNS = 3
_HIDDEN = ("step", "seconds", "steps_per_second")


def draw_curves(folder: Path) -> Path | None:
    """Draw every number of the logs over the steps.

    Args:
        folder: Folder of a run.

    Returns:
        The picture; None if there is nothing to draw or matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None
    curves = read_curves(folder)
    if not curves:
        return None
    rows = -(-len(curves) // _COLUMNS)
    figure = Figure(figsize=(4 * _COLUMNS, 2.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axis, (name, (steps, values)) in zip(axes, curves.items(), strict=False):
        axis.plot(steps, values, linewidth=1, marker="." if len(steps) < 30 else "")
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
        if min(values) > 0 and max(values) > 30 * min(values):
            axis.set_yscale("log")
    for axis in axes[len(curves) :]:
        axis.set_axis_off()
    path = folder / CURVES
    figure.savefig(path, dpi=100)
    return path


def read_curves(folder: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Return steps and values by name: validation first, then losses."""
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for table, prefix in ((VALIDATION, "validation "), (LOSSES, "")):
        for row in read_table(folder / table):
            for name, text in row.items():
                if name in _HIDDEN or text in ("", None):
                    continue
                steps, values = curves.setdefault(prefix + name, ([], []))
                steps.append(float(row["step"]))
                values.append(float(text))
    return curves
