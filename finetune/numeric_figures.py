"""What each head of a numeric model is worth: its errors beside those of two baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.numeric import (
    NumericScores,
    Ridge,
    Values,
    error_difference,
    mean_predictions,
    score_numbers,
)
from eval.statistics import Difference
from finetune.numeric_data import NumericData
from rag_app.index.embedder import Embedder, Vectors, truncate


@dataclass(frozen=True, slots=True)
class Row:
    """One predictor on the test questions, at one dimension of what it reads (None: of nothing).

    ``against_ridge`` is a head's absolute error minus that of the best ridge regression: below
    zero, the head is nearer. None for the baselines.
    """

    name: str
    dim: int | None
    scores: NumericScores
    against_ridge: Difference | None = None


@dataclass(frozen=True, slots=True)
class Baselines:
    """The training mean, and ridge regression on the frozen base at several dimensions."""

    mean: Row
    ridges: tuple[Row, ...]

    @property
    def best_ridge(self) -> Row:
        """The one with the smallest test error: the hardest to beat."""
        return min(self.ridges, key=lambda row: row.scores.mae_z)


def score_baselines(
    data: NumericData, base: Embedder, dims: Sequence[int], max_tokens: int
) -> Baselines:
    """Both baselines on the test part; ridge at the base's full width and at ``dims``.

    The base reads the very texts that training reads, cut at ``max_tokens``.

    Raises:
        ModelError: the base does not load.
    """
    model = base.model
    known = model.max_seq_length or max_tokens
    try:
        model.max_seq_length = min(max_tokens, known)
        train, dev, test = (
            base.encode_documents(part.texts) for part in (data.train, data.dev, data.test)
        )
    finally:
        model.max_seq_length = known
    train_z, dev_z, test_z = (data.z(part) for part in (data.train, data.dev, data.test))

    def row(name: str, dim: int | None, predicted: Values) -> Row:
        return Row(name, dim, score_numbers(data.test.ids, predicted, test_z, data.scaling))

    def ridge(dim: int) -> Row:
        def cut(vectors: Vectors) -> Vectors:
            return truncate(vectors, dim, base.spec.start_of(dim) if dim < base.spec.width else 0)

        fit = Ridge.fit(cut(train), train_z, cut(dev), dev_z)
        return row("ridge", dim, fit.predict(cut(test)))

    wanted = [base.spec.width, *(dim for dim in dims if dim in base.spec.dims)]
    return Baselines(
        mean=row("mean", None, mean_predictions(train_z, len(test_z))),
        ridges=tuple(ridge(dim) for dim in dict.fromkeys(wanted)),
    )


def score_heads(
    data: NumericData, predicted_z: Mapping[int, Values], baselines: Baselines
) -> tuple[Row, ...]:
    """Each head on the test part, widest first, paired with the best ridge regression."""
    target = data.z(data.test)
    rows = []
    for dim, z in predicted_z.items():
        scores = score_numbers(data.test.ids, z, target, data.scaling)
        difference = error_difference(baselines.best_ridge.scores, scores, data.test.pages)
        rows.append(Row("head", dim, scores, difference))
    return tuple(rows)


def figures_table(baselines: Baselines, heads: Sequence[Row]) -> str:
    """Markdown: a row a predictor, errors in deviations and on the logarithmic scale."""
    lines = [
        "| predictor | dimension | MAE (z) | Huber (z) | MAE (log) | minus best ridge, 95% |",
        "|---|---|---|---|---|---|",
        *(_line(row) for row in (baselines.mean, *baselines.ridges, *heads)),
    ]
    return "\n".join(lines)


def verdict(baselines: Baselines, heads: Sequence[Row]) -> str:
    """One sentence: which heads beat both baselines beyond doubt, which do not."""
    better = [
        row
        for row in heads
        if row.against_ridge is not None
        and row.against_ridge.high < 0
        and row.scores.mae_z < baselines.mean.scores.mae_z
    ]
    if len(better) == len(heads):
        return "Every head beats the training mean and ridge regression on the frozen base."
    dims = ", ".join(str(row.dim) for row in heads if row not in better)
    return (
        f"The heads at {dims} do not beat both baselines beyond doubt: do not rely on their "
        "numbers."
    )


def _line(row: Row) -> str:
    difference = row.against_ridge
    shown = (
        f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
        if difference
        else ""
    )
    scores = row.scores
    return (
        f"| {row.name} | {row.dim or ''} | {scores.mae_z:.3f} | {scores.huber_z:.3f} | "
        f"{scores.mae_log:.3f} | {shown} |"
    )
