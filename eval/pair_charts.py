"""Charts of base beside tuned: stages, moves of rank, and companies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.charts import LIGHT, Theme, finish, new_figure
from eval.curves import CompanyGains, Moves, step_names
from eval.stage_file import Stage

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

COMPANIES_A_ROW = 36
BAR = 0.38


def stage_chart(stages: Sequence[Stage], theme: Theme = LIGHT) -> Figure:
    """Each stage on the way to the answer: both models, and the gain with its interval.

    A gain whose interval holds 0 is drawn hollow: it has vanished, as far as the figures say.
    """
    figure, (scores, gains) = new_figure(theme, 10, 1.4 + 0.52 * len(stages), columns=2)
    names = [stage.label for stage in stages]
    for axes, shift, field, colour in (
        (scores, -BAR / 2, "base", theme.base),
        (scores, BAR / 2, "tuned", theme.tuned),
    ):
        values = [getattr(stage, field) for stage in stages]
        places = [place + shift for place in range(len(stages))]
        axes.barh(places, values, height=BAR, color=colour, label=field)
    for place, stage in enumerate(stages):
        kept = stage.low > 0 or stage.high < 0
        gains.plot([stage.low, stage.high], [place, place], color=theme.tuned, linewidth=1.6)
        gains.plot(
            [stage.gain],
            [place],
            marker="o",
            color=theme.tuned,
            markerfacecolor=theme.tuned if kept else theme.paper,
        )
    gains.axvline(0, color=theme.ink, linewidth=0.9)
    finish(scores, theme, "score", "")
    finish(gains, theme, "tuned less base, 95% interval", "")
    for axes, labels in ((scores, names), (gains, [""] * len(names))):
        axes.set_yticks(range(len(stages)), labels)
        axes.set_ylim(len(stages) - 0.4, -0.6)  # the first stage on top
    figure.legend(
        *scores.get_legend_handles_labels(),
        loc="outside upper left",
        ncols=2,
        frameon=False,
        labelcolor=theme.ink,
        fontsize=9,
    )
    return figure


def moves_chart(moves: Sequence[Moves], theme: Theme = LIGHT) -> Figure:
    """How many questions went from which step of rank (base) to which (tuned)."""
    from matplotlib.colors import to_rgba

    figure, panels = new_figure(theme, 4.9 * len(moves) + 0.3, 4.6, columns=len(moves))
    names = step_names()
    for axes, found in zip(panels, moves, strict=True):
        off_diagonal = [
            count
            for row, cells in enumerate(found.counts)
            for column, count in enumerate(cells)
            if row != column
        ]
        most = max(1, *off_diagonal)
        for row, cells in enumerate(found.counts):
            for column, count in enumerate(cells):
                colour, strength = theme.faint, 0.35
                if row != column:
                    colour = theme.tuned if column < row else theme.base
                    strength = 0.06 + 0.84 * count / most
                axes.add_patch(_square(column, row, to_rgba(colour, strength)))
                strong = strength > 0.6
                axes.text(
                    column,
                    row,
                    str(count) if count else "·",
                    ha="center",
                    va="center",
                    color=theme.paper if strong else theme.ink,
                    fontsize=10,
                )
        size = len(names)
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_xticks(range(size), names)
        axes.set_yticks(range(size), names)
        axes.set_title(
            f"{found.system} dimensions: {found.up} up, {found.down} down", fontsize=10.5
        )
        finish(axes, theme, "rank by tuned", "rank by base", grid=False)
        axes.tick_params(length=0)
    return figure


def company_chart(found: CompanyGains, metric: str, theme: Theme = LIGHT) -> Figure:
    """Gain by company and dimension, those that gained most first."""
    from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
    from matplotlib.figure import Figure

    blocks = math.ceil(len(found.companies) / COMPANIES_A_ROW)
    across = math.ceil(len(found.companies) / blocks)
    figure = Figure(
        figsize=(max(5.0, 0.27 * across + 2.2), blocks * (0.36 * len(found.systems) + 1.0) + 0.3),
        layout="constrained",
        facecolor=theme.paper,
    )
    panels = list(figure.subplots(blocks, 1, squeeze=False)[:, 0])
    reach = max((abs(value) for gains in found.gains for value in gains), default=0) or 1.0
    scale = LinearSegmentedColormap.from_list("gain", [theme.base, theme.paper, theme.tuned])
    norm = TwoSlopeNorm(vmin=-reach, vcenter=0, vmax=reach)
    for block, axes in enumerate(panels):
        part = slice(block * across, (block + 1) * across)
        names = found.companies[part]
        cells = [
            [gains[column] for gains in found.gains[part]] for column in range(len(found.systems))
        ]
        image = axes.imshow(cells, cmap=scale, norm=norm, aspect="auto")
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(found.systems)), found.systems)
        axes.set_xlim(-0.5, across - 0.5)
        finish(axes, theme, "", "", grid=False)
        axes.tick_params(length=0, labelsize=8)
    bar = figure.colorbar(image, ax=panels, shrink=0.85, pad=0.01)
    bar.set_label(f"{metric}: tuned less base", color=theme.ink, fontsize=9)
    bar.ax.tick_params(colors=theme.ink, labelsize=8)
    bar.outline.set_visible(False)
    return figure


def _square(column: int, row: int, colour: tuple[float, float, float, float]) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=colour, edgecolor="none")
