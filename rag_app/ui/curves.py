"""A drawing of one curve of a training run, from its first step to the last that it will take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamlit.delta_generator import DeltaGenerator

HEIGHT_PX = 220
POINTS = 400
"""More points than this, and a curve is drawn through every second, third, ... of them."""
DOTS = 12
"""Up to so many points each has a dot: a line of one point would not be seen."""
MARGIN, FLAT_MARGIN = 0.08, 0.02
"""Room over and under a curve, as a share of its height; of its value where it has no height."""


def draw_curve(column: DeltaGenerator, title: str, points: Mapping[int, float], of: int) -> None:
    """Draw values by optimizer step of a run of ``of`` steps; in words they are the ``alt``."""
    every = 1 + len(points) // POINTS
    rows = [{"step": step, "value": points[step]} for step in sorted(points)[::every]]
    first, last = min(points), max(points)
    column.vega_lite_chart(
        rows,
        _spec(title, _range_of([row["value"] for row in rows]), of, dots=len(rows) <= DOTS),
        alt=f"{title} by optimizer step: {points[first]:.4g} at step {first}, "
        f"{points[last]:.4g} at step {last}",
    )


def _range_of(values: list[float]) -> tuple[float, float]:
    """What the axis shows: not from 0, where a dev score's gain would be a flat line."""
    low, high = min(values), max(values)
    margin = MARGIN * (high - low) or FLAT_MARGIN * abs(high) or 1.0
    return low - margin, high + margin


def _spec(title: str, shown: tuple[float, float], of: int, *, dots: bool) -> dict[str, Any]:
    """Vega-Lite: https://vega.github.io/vega-lite/docs/line.html"""
    return {
        "height": HEIGHT_PX,
        "title": title,
        "mark": {"type": "line", "point": {"filled": True, "size": 50} if dots else False},
        "encoding": {
            "x": {
                "field": "step",
                "type": "quantitative",
                "scale": {"domain": [0, of]},
                "axis": {"title": "optimizer step", "tickCount": 4, "format": "~d"},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"domain": shown, "nice": False},
                "axis": {"title": None, "tickCount": 4},
            },
            "tooltip": [{"field": "step"}, {"field": "value", "title": title}],
        },
    }
