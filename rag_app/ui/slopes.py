"""A drawing of rank moves: a line a passage from its rank on the left to that on the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from rag_app.ui.moves import Move

ROW_PX = 22
# Legible on white and on black.
KINDS = {
    "risen": "#2e9e6b",
    "fallen": "#d9822b",
    "same": "#8a8f98",
    "new": "#3f8fd2",
    "gone": "#b05a7a",
}


def draw_slopes(moved: Sequence[Move], names: Sequence[str]) -> None:
    """Draw the moves; ``names`` says what each passage is called. In words they are its ``alt``."""
    rows = [
        {"side": side, "rank": rank, "passage": name, "move": _kind(move), "line": number}
        for number, (move, name) in enumerate(zip(moved, names, strict=True))
        for side, rank in (("left", move.left), ("right", move.right))
        if rank is not None
    ]
    deepest = max(rank for move in moved for rank in (move.left, move.right) if rank is not None)
    st.vega_lite_chart(
        rows,
        _spec(ROW_PX * (deepest + 1)),
        alt="Rank moves from left to right: " + ", ".join(move.says for move in moved) + ".",
    )


def _kind(move: Move) -> str:
    return {"↑": "risen", "↓": "fallen", "=": "same"}.get(move.sign[0], move.sign)


def _spec(height: int) -> dict[str, Any]:
    """Vega-Lite: https://vega.github.io/vega-lite/docs/layer.html"""
    return {
        "height": height,
        "encoding": {
            "x": {
                "field": "side",
                "type": "nominal",
                "scale": {"type": "point", "padding": 0.15},
                "axis": {"title": None, "labelAngle": 0, "orient": "top"},
            },
            "y": {
                "field": "rank",
                "type": "ordinal",
                "axis": {"title": "rank", "labelOverlap": False},
            },
            "color": {
                "field": "move",
                "type": "nominal",
                "scale": {"domain": list(KINDS), "range": list(KINDS.values())},
                "legend": {"orient": "bottom", "title": None},
            },
            "detail": {"field": "line"},
            "tooltip": [{"field": "rank"}, {"field": "passage"}, {"field": "move"}],
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2}},
            {"mark": {"type": "point", "filled": True, "size": 60}},
        ],
    }
