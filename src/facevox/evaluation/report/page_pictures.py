"""Sections of the page that show rather than count: lips, voices, stills."""

import base64

import numpy as np

from facevox.core.errors import FacevoxError
from facevox.evaluation.report.plots import lips, marker, scatter
from facevox.evaluation.report.report import Illustrations
from facevox.evaluation.report.stills import MOST_VIDEOS, rows_of_stills
from facevox.evaluation.report.svg import prose, tag, text
from facevox.evaluation.report.voice_map import chosen_points, in_order, pca, tsne

MOST_NAMES = 40
"""Persons whose names are listed beside the maps."""


def lip_section(illustrations: Illustrations) -> str:
    """Return lips over time, clip by clip; nothing if there are none."""
    if not illustrations.lips:
        return ""
    plots = [_figure(text(trace.title), lips(trace)) for trace in illustrations.lips]
    seen = tag("path", d="M1 7H13", class_="seen")
    expected = tag("rect", x=1, y=2, width=12, height=10, class_="expected")
    key = (
        f"<li>{_swatch(seen)}measured distance of the inner lips [IOD], axis on the left</li>"
        f"<li>{_swatch(expected)}openness expected from the phones, 0 to 1 over the full "
        "height</li>"
    )
    return _section(
        "lips",
        "Lips over time",
        f'<ul class="key">{key}</ul><div class="plots" style="--least:320px">{"".join(plots)}'
        "</div>",
    )


def voice_section(illustrations: Illustrations) -> str:
    """Return PCA and t-SNE of the voices of each system; nothing if there are none."""
    if not illustrations.voices:
        return ""
    judge = illustrations.voices_by or "speaker embedding"
    order = in_order([who for _, people in illustrations.voices.values() for who in people])
    maps: dict[str, list[str]] = {"PCA": [], "t-SNE": []}
    for name, (embeddings, people) in illustrations.voices.items():
        chosen = chosen_points(embeddings)
        points, who = embeddings[chosen], [people[index] for index in chosen]
        maps["PCA"].append(_pca(name, judge, points, who, order))
        maps["t-SNE"].append(_tsne(name, judge, points, who, order))
    key = "".join(
        f"<li>{_swatch(marker(index, 7.0, 7.0))}{text(person)}</li>"
        for index, person in enumerate(order[:MOST_NAMES])
    )
    if len(order) > MOST_NAMES:
        key += f"<li>and {len(order) - MOST_NAMES} more</li>"
    plots = "".join(
        f'<h3>{title}</h3><div class="plots" style="--least:340px">{"".join(found)}</div>'
        for title, found in maps.items()
    )
    intro = (
        f'<p class="soft small">Each point is the voice of one clip ({text(judge)} embedding); '
        "colour and shape say whose face it is. Voices of one face should lie together. "
        "Distances in a t-SNE map between far groups mean nothing.</p>"
    )
    return _section("voices", "Voices", f'{intro}{plots}<ul class="key">{key}</ul>')


def still_section(illustrations: Illustrations) -> str:
    """Return stills of a few videos of each system; nothing if there are none."""
    if not any(illustrations.videos.values()):
        return ""
    rows = rows_of_stills(illustrations.videos)
    parts = []
    for system, stills in rows.items():
        given = len(illustrations.videos[system])
        more = f" (first {MOST_VIDEOS} of {given} videos)" if given > MOST_VIDEOS else ""
        parts.append(f'<h3>{text(system)}<span class="soft">{more}</span></h3>')
        for still in stills:
            caption = f"<figcaption><span>{text(still.title)}</span></figcaption>"
            if still.jpeg:
                data = base64.b64encode(still.jpeg).decode()
                picture = tag(
                    "img",
                    src=f"data:image/jpeg;base64,{data}",
                    width=still.size[0],
                    height=still.size[1],
                    alt=f"Stills of {still.title}, {system}",
                )
            else:
                picture = f'<p class="soft small">{prose(still.problem)}</p>'
            parts.append(f'<figure>{caption}<div class="strip">{picture}</div></figure>')
    return _section("stills", "Stills", "".join(parts))


def _pca(name: str, judge: str, points: np.ndarray, who: list[str], order: list[str]) -> str:
    try:
        plane, shares = pca(points)
    except FacevoxError as error:
        return _figure(text(name), f'<p class="soft small">{prose(error)}</p>')
    first, second = (f"{judge}, component {k + 1} ({shares[k]:.0%})" for k in (0, 1))
    title = f"PCA of voices, {name}"
    return _figure(text(name), scatter(plane, who, order, (first, second), title))


def _tsne(name: str, judge: str, points: np.ndarray, who: list[str], order: list[str]) -> str:
    try:
        plane, perplexity = tsne(points)
    except FacevoxError as error:
        return _figure(text(name), f'<p class="soft small">{prose(error)}</p>')
    caption = f"{text(name)} <span>perplexity {perplexity:.3g}</span>"
    axes = f"{judge}, t-SNE 1", f"{judge}, t-SNE 2"
    drawing = scatter(plane.astype(np.float64), who, order, axes, f"t-SNE of voices, {name}")
    return _figure(caption, drawing)


def _figure(caption: str, content: str) -> str:
    return f'<figure class="plot"><figcaption>{caption}</figcaption>{content}</figure>'


def _section(name: str, title: str, content: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2>{content}</section>'


def _swatch(drawing: str) -> str:
    return tag("svg", drawing, viewBox="0 0 14 14", aria_hidden="true")
