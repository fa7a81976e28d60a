"""The quality report: space, probes and forgetting of a model, base beside tuned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from eval.evalset import EvalSet
from eval.forgetting import Kept, what_is_kept
from eval.probes import ORDERS, Probes, ProbeScores, auc, auc_gain, probe_record, score_probes
from eval.quality import Space, measure_spaces
from eval.retrieval import Encoder, evaluate
from eval.statistics import Interval

FIGURES = {
    "average cosine": "average_cosine",
    "distance": "distance",
    "utilisation": "utilisation",
    "of 1/√dim": "utilised_share",
    "norm": "norm_mean",
    "anisotropy": "anisotropy",
    "uniformity": "uniformity",
    "alignment": "alignment",
    "effective rank": "effective_rank",
}
"""Column → field of ``Space``, which says what each is."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One model on all of it; every list has one entry a dimension."""

    model: str
    spaces: list[Space]
    probes: list[ProbeScores]


@dataclass(frozen=True, slots=True)
class Quality:
    """The model and, where it has one, its base; ``of`` says what the space is measured on."""

    of: str
    tuned: Measured
    base: Measured | None
    probes: Probes
    kept: list[Kept]


def measure_quality(
    tuned: Encoder,
    base: Encoder | None,
    dims: Sequence[int],
    of: str,
    texts: tuple[Sequence[str], Sequence[str]],
    probes: Probes,
    evalsets: Sequence[EvalSet],
    on_progress: Callable[[int], None],
) -> Quality:
    """Measure a model and its base; ``texts`` are questions and their contexts."""
    base_dims = [dim for dim in dims if base and dim in base.spec.dims]

    def measured(encoder: Encoder, at: Sequence[int]) -> Measured:
        return Measured(
            encoder.spec.name,
            measure_spaces(encoder, *texts, at),
            score_probes(encoder, probes, at),
        )

    kept = []
    for evalset in evalsets:
        report = evaluate(tuned, evalset, dims, on_progress=on_progress)
        before = None
        if base and base_dims:
            before = evaluate(base, evalset, base_dims, on_progress=on_progress)
        kept += what_is_kept(report, before)
    return Quality(
        of=of,
        tuned=measured(tuned, dims),
        base=measured(base, base_dims) if base and base_dims else None,
        probes=probes,
        kept=kept,
    )


def quality_record(quality: Quality) -> Mapping[str, object]:
    """What ``--json`` prints."""

    def model(measured: Measured) -> Mapping[str, object]:
        return {
            "model": measured.model,
            "space": [dataclasses.asdict(space) for space in measured.spaces],
            "probes": [
                dict(probe_record(scores))
                | {
                    f"auc {above} over {below}": dataclasses.asdict(auc(scores, above, below))
                    for above, below in ORDERS
                }
                for scores in measured.probes
            ],
        }

    return {
        "measured_on": quality.of,
        "tuned": model(quality.tuned),
        "base": model(quality.base) if quality.base else None,
        "forgetting": [dataclasses.asdict(row) for row in quality.kept],
    }


def quality_text(quality: Quality) -> str:
    """All tables, as Markdown."""
    return "\n\n".join(
        [
            f"The space, over {quality.of}:",
            space_table(quality),
            "Pairs of financial terms, by the order of their cosines (AUC: 1 perfect, .5 none; 95% "
            "interval by bootstrap over pairs):",
            probe_table(quality),
            "The published pairs, cosine and the share of unrelated pairs below it:",
            published_table(quality),
            "Forgetting, nDCG@10 on general text (difference with its 95% interval):",
            forgetting_table(quality),
        ]
    )


def space_table(quality: Quality) -> str:
    """One line a dimension and model, base first."""
    lines = [
        f"| dimension | model | {' | '.join(FIGURES)} |",
        "|---:|---|" + "---:|" * len(FIGURES),
    ]
    for dim in [space.dim for space in quality.tuned.spaces]:
        for measured in filter(None, (quality.base, quality.tuned)):
            lines += [
                f"| {dim} | {measured.model} | {_figures(space)} |"
                for space in measured.spaces
                if space.dim == dim
            ]
    return "\n".join(lines)


def probe_table(quality: Quality) -> str:
    """One line a dimension and order: base, tuned and what tuning changed."""
    header = [quality.base.model] if quality.base else []
    header += [quality.tuned.model] + (["difference"] if quality.base else [])
    lines = [
        f"| dimension | what over what | {' | '.join(header)} |",
        "|---:|---|" + "---:|" * len(header),
    ]
    base = {scores.dim: scores for scores in quality.base.probes} if quality.base else {}
    for tuned in quality.tuned.probes:
        for above, below in ORDERS:
            cells = [_interval(auc(tuned, above, below))]
            if quality.base:
                before = base.get(tuned.dim)
                first, last = "", ""
                if before:
                    first = _interval(auc(before, above, below))
                    last = _interval(auc_gain(before, tuned, above, below), "+.3f")
                cells = [first, *cells, last]
            lines.append(f"| {tuned.dim} | {above} over {below} | {' | '.join(cells)} |")
    return "\n".join(lines)


def published_table(quality: Quality) -> str:
    """One line a published pair and dimension; the recipe's own cosine was at 128."""
    models = [measured for measured in (quality.base, quality.tuned) if measured]
    lines = [
        f"| pair | published | dimension | {' | '.join(each.model for each in models)} |",
        "|---|---:|---:|" + "---:|" * len(models),
    ]
    for row in quality.probes.published:
        for tuned in quality.tuned.probes:
            cells = [_published(each, row.name, tuned.dim) for each in models]
            lines.append(f"| {row.name} | {row.cosine:.3f} | {tuned.dim} | {' | '.join(cells)} |")
    return "\n".join(lines)


def forgetting_table(quality: Quality) -> str:
    """One line a set and dimension."""
    base = quality.base.model if quality.base else "base"
    lines = [
        f"| set | questions | passages | dimension | {base} | {quality.tuned.model} | difference |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in quality.kept:
        before = "" if row.base is None else f"{row.base:.4f}"
        change = ""
        if row.difference:
            found = row.difference
            change = f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})"
        lines.append(
            f"| {row.evalset} | {row.queries} | {row.corpus} | {row.dim} | {before} "
            f"| {row.tuned:.4f} | {change} |"
        )
    return "\n".join(lines)


def _figures(space: Space) -> str:
    cells = []
    for name, field in FIGURES.items():
        text = f"{getattr(space, field):.1f}" if name == "effective rank" else ""
        text = text or f"{getattr(space, field):.3f}"
        cells.append(f"{text} ± {space.norm_std:.3f}" if name == "norm" else text)
    return " | ".join(cells)


def _published(measured: Measured, name: str, dim: int) -> str:
    found = [scores for scores in measured.probes if scores.dim == dim]
    if not found:
        return ""
    return f"{found[0].published[name]:.3f} (above {found[0].above_unrelated(name):.0%})"


def _interval(interval: Interval, form: str = ".3f") -> str:
    return f"{interval.value:{form}} ({interval.low:{form}} to {interval.high:{form}})"
