"""A report in its three forms, in one folder."""

from pathlib import Path

from facevox.core.files import make_folder, write_atomically
from facevox.evaluation.report.markdown import to_markdown
from facevox.evaluation.report.page import write_page
from facevox.evaluation.report.report import Illustrations, Report
from facevox.evaluation.report.store import save_report

PAGE, TABLES = "index.html", "report.md"


def write_report(report: Report, illustrations: Illustrations, folder: Path) -> Path:
    """Write `report.json`, `report.md` and `index.html`; return the path of the page.

    Raises:
        MediaError: If a file cannot be written.
    """
    make_folder(folder)
    save_report(report, folder)
    write_atomically(folder / TABLES, to_markdown(report).encode())
    return write_page(report, illustrations, folder / PAGE)
