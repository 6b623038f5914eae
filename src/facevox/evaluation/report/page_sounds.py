"""The section of the page in which voices are heard."""

import base64
import io
from pathlib import Path

import soundfile

from facevox.core.errors import FacevoxError
from facevox.core.waveform import read_waveform
from facevox.evaluation.report.report import Illustrations
from facevox.evaluation.report.svg import prose, tag, text

SAMPLE_RATE = 24_000
"""What is heard on the page; MP3 keeps a second of speech in about 6 kB."""

LONGEST = 20.0
"""A longer sound is cut [s]."""


def sound_section(illustrations: Illustrations) -> str:
    """Return players of a few sounds of each system; nothing if there are none."""
    if not any(illustrations.sounds.values()):
        return ""
    parts = []
    for system, sounds in illustrations.sounds.items():
        parts.append(f"<h3>{text(system)}</h3>")
        for title, path in sounds:
            caption = f"<figcaption><span>{text(title)}</span></figcaption>"
            parts.append(f"<figure>{caption}{_player(path)}</figure>")
    return (
        '<section id="sounds"><h2>Sounds</h2>'
        '<p class="soft small">Synthetic voices, at the level at which they were scored.</p>'
        f"{''.join(parts)}</section>"
    )


def _player(path: Path) -> str:
    try:
        waveform, rate = read_waveform(path, SAMPLE_RATE)
    except FacevoxError as error:
        return f'<p class="soft small">{prose(error)}</p>'
    packed = io.BytesIO()
    soundfile.write(packed, waveform[: int(LONGEST * rate)], rate, format="MP3")
    data = base64.b64encode(packed.getvalue()).decode()
    return tag("audio", "", controls="controls", src=f"data:audio/mpeg;base64,{data}")
