"""Charts of reports as matplotlib figures: curves over dimensions, and what they cost.

They use no global state of matplotlib, so that a page server may draw several at once.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
BYTES_A_FLOAT = 4


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a chart."""

    paper: str
    ink: str
    faint: str
    base: str
    tuned: str
    other: str
    baselines: tuple[str, ...]


# Blue, orange and the rest are told apart by the colour-blind (after Okabe and Ito 2008).
LIGHT = Theme(
    paper="#ffffff",
    ink="#1f2328",
    faint="#d8dce1",
    base="#c4620a",
    tuned="#0b61b8",
    other="#6f42c1",
    baselines=("#7a828b", "#3c8f6b", "#a0527d", "#8a7326"),
)
DARK = Theme(
    paper="#161b22",
    ink="#e6edf3",
    faint="#3a424c",
    base="#f0a35a",
    tuned="#6cb2ff",
    other="#bfa2ff",
    baselines=("#9aa4af", "#6cc7a0", "#d793b8", "#cdb766"),
)


def dimension_chart(curves: Sequence[Curve], metric: str, theme: Theme = LIGHT) -> Figure:
    """The metric by dimension with 95% intervals; a baseline without a dimension is a level."""
    figure, (axes,) = new_figure(theme, 8, 4.4)
    _draw_curves(axes, curves, theme)
    dims = sorted({dim for curve in curves for dim in curve.points if dim})
    axes.set_xscale("log", base=2)
    axes.set_xticks(dims, [str(dim) for dim in dims])
    axes.minorticks_off()
    finish(axes, theme, "dimensions", metric)
    add_legend(axes, theme)
    return figure


def cost_chart(
    curves: Sequence[Curve], query_ms: dict[int, float], metric: str, theme: Theme = LIGHT
) -> Figure:
    """The metric against bytes a vector, and against milliseconds a query."""
    figure, (by_size, by_time) = new_figure(theme, 10, 4.2, columns=2)
    models = [curve for curve in curves if curve.role != "baseline"]
    for curve in models:
        points = [(dim, point.value) for dim, point in sorted(curve.points.items())]
        timed = [(query_ms[dim], dim, value) for dim, value in points if dim in query_ms]
        for axes, xs, marks in (
            (by_size, [dim * BYTES_A_FLOAT for dim, _ in points], points),
            (by_time, [taken for taken, *_ in timed], [(dim, value) for _, dim, value in timed]),
        ):
            values = [value for _, value in marks]
            colour = colour_of(curve, theme, 0)
            axes.plot(xs, values, marker="o", color=colour, label=curve.name)
            for x, (dim, value) in zip(xs, marks, strict=True):
                below = curve.role == "base"
                axes.annotate(
                    str(dim),
                    (x, value),
                    xytext=(9, -11) if below else (-4, 7),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                    color=colour,
                )
    by_size.set_xlim(left=0)
    by_time.set_xlim(left=0)
    for axes in (by_size, by_time):
        axes.margins(y=0.15)
        axes.locator_params(axis="x", nbins=6)
    finish(by_size, theme, "bytes a vector (float32)", metric)
    finish(by_time, theme, "milliseconds a query, search alone", metric)
    add_legend(by_size, theme)
    return figure


def colour_of(curve: Curve, theme: Theme, place: int) -> str:
    """A curve's colour: by its role, baselines and others by their place among their like."""
    named = {"base": theme.base, "tuned": theme.tuned, "other": theme.other}
    return named.get(curve.role) or theme.baselines[place % len(theme.baselines)]


def new_figure(
    theme: Theme, width: float, height: float, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """An empty figure in inches, with axes side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=theme.paper)
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def finish(axes: Axes, theme: Theme, x_label: str, y_label: str, *, grid: bool = True) -> None:
    """Label the axes and give all that is drawn by matplotlib itself the theme's colours."""
    axes.set_facecolor(theme.paper)
    axes.set_xlabel(x_label, color=theme.ink)
    axes.set_ylabel(y_label, color=theme.ink)
    axes.title.set_color(theme.ink)
    axes.tick_params(colors=theme.ink, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom") and grid)
        spine.set_color(theme.faint)
    if grid:
        axes.grid(True, color=theme.faint, linewidth=0.7)
        axes.set_axisbelow(True)


def add_legend(axes: Axes, theme: Theme) -> None:
    """A legend without a frame."""
    axes.legend(frameon=False, labelcolor=theme.ink, fontsize=9)


def as_png(figure: Figure) -> bytes:
    """The chart as a PNG file."""
    return _saved(figure, "png")


def as_svg(figure: Figure) -> bytes:
    """The chart as an SVG file; the same chart gives the same bytes."""
    return _saved(figure, "svg")


def _draw_curves(axes: Axes, curves: Sequence[Curve], theme: Theme) -> None:
    baselines = 0
    for curve in curves:
        colour = colour_of(curve, theme, baselines)
        plain = curve.role == "baseline"
        baselines += plain
        if 0 in curve.points:
            axes.axhline(curve.points[0].value, color=colour, linestyle=":", label=curve.name)
            continue
        points = sorted(curve.points.items())
        dims = [dim for dim, _ in points]
        values = [point.value for _, point in points]
        if plain:
            axes.plot(dims, values, color=colour, linestyle="--", linewidth=1.2, label=curve.name)
            continue
        below = [point.value - point.low for _, point in points]
        above = [point.high - point.value for _, point in points]
        # A little apart, or the whiskers of two models would lie on each other.
        shifted = [dim * {"base": 0.985, "tuned": 1.015}.get(curve.role, 1.0) for dim in dims]
        axes.errorbar(
            shifted,
            values,
            yerr=[below, above],
            color=colour,
            marker="o",
            capsize=3,
            elinewidth=1.2,
            label=curve.name,
        )


def _saved(figure: Figure, form: str) -> bytes:
    import matplotlib

    buffer = io.BytesIO()
    metadata: dict[str, str | None] = {"Date": None} if form == "svg" else {}
    # The salt names SVG's parts; without it they are named at random.
    with matplotlib.rc_context({"svg.hashsalt": "filings-rag"}):
        figure.savefig(
            buffer, format=form, dpi=DPI, facecolor=figure.get_facecolor(), metadata=metadata
        )
    return buffer.getvalue()
