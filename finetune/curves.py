"""What a run went through: loss and learning rate a step, dev score a few times; as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_app.training import PICTURE as PICTURE

CURVE_FILE = "curve.json"
"""One seed's curve, once its run has ended."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One seed's run.

    ``losses`` and ``learning_rates`` have one value an optimizer step; ``dev`` has pairs of a step
    (0: the untuned base) and the dev score after it; ``kept_step`` is the step that was kept.
    """

    seed: int
    losses: tuple[float, ...]
    learning_rates: tuple[float, ...]
    dev: tuple[tuple[int, float], ...]
    kept_step: int

    @classmethod
    def from_logs(
        cls, seed: int, logs: Sequence[Mapping[str, Any]], dev_key: str, kept_step: int
    ) -> Curve:
        """Read a trainer's ``log_history``."""
        steps = [entry for entry in logs if "loss" in entry]
        return cls(
            seed=seed,
            losses=tuple(float(entry["loss"]) for entry in steps),
            learning_rates=tuple(float(entry["learning_rate"]) for entry in steps),
            dev=tuple(
                (int(entry["step"]), float(entry[dev_key])) for entry in logs if dev_key in entry
            ),
            kept_step=kept_step,
        )

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Curve:
        """Read what ``dataclasses.asdict`` and JSON made of one."""
        lists = {name: tuple(record[name]) for name in ("losses", "learning_rates")}
        dev = tuple((int(step), float(score)) for step, score in record["dev"])
        return cls(seed=record["seed"], dev=dev, kept_step=record["kept_step"], **lists)


def draw_curves(curves: Sequence[Curve], dev_label: str, path: Path) -> None:
    """Draw loss, learning rate and dev score over the optimizer steps, one line a seed."""
    from matplotlib.figure import Figure

    panels = ["loss", "learning rate"] + ([dev_label] if any(c.dev for c in curves) else [])
    figure = Figure(figsize=(8, 2.6 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True)
    for curve in curves:
        name = f"seed {curve.seed}"
        steps = range(1, len(curve.losses) + 1)
        axes[0].plot(steps, curve.losses, linewidth=1, label=name)
        axes[1].plot(steps, curve.learning_rates, linewidth=1)
        if curve.dev:
            axes[2].plot(*zip(*curve.dev, strict=True), marker="o", label=name)
            axes[2].axvline(curve.kept_step, linestyle=":", linewidth=1, color="grey")
    for axis, panel in zip(axes, panels, strict=True):
        axis.set_ylabel(panel)
        axis.grid(alpha=0.3)
    axes[0].legend()
    axes[-1].set_xlabel("optimizer step (dotted: the one that was kept)")
    figure.savefig(path, dpi=110)
