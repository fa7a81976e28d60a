"""Pairs of financial terms: does a model put synonyms above unrelated terms?"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.files import read_text
from eval.retrieval import Encoder
from eval.statistics import LEVEL, Interval
from rag_app.errors import DataError
from rag_app.index.embedder import truncate

PROBES = Path(__file__).with_name("probes.toml")
KINDS = ("synonym", "related", "unrelated")
ORDERS = (("synonym", "unrelated"), ("synonym", "related"), ("related", "unrelated"))
"""What should come out above what."""
SAMPLES = 2000

Pair = tuple[str, str]
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Published:
    """A pair of sentences that the numeric recipe gave a cosine of, at 128 dimensions."""

    name: str
    texts: Pair
    cosine: float


@dataclass(frozen=True, slots=True)
class Probes:
    """The published pairs, and kind of pair (see ``KINDS``) → pairs of terms."""

    published: tuple[Published, ...]
    pairs: dict[str, tuple[Pair, ...]]


@dataclass(frozen=True, slots=True)
class ProbeScores:
    """What a model makes of the probes at one dimension.

    ``cosines`` maps kind → one cosine a pair; ``published`` maps name → cosine.
    """

    dim: int
    cosines: dict[str, Column]
    published: dict[str, float]

    def above_unrelated(self, name: str) -> float:
        """The share of unrelated pairs that a published pair lies above, from 0 to 1."""
        return float((self.cosines["unrelated"] < self.published[name]).mean())


def load_probes(path: Path = PROBES) -> Probes:
    """Read the probes.

    Raises:
        DataError: the file is missing or has another form.
    """
    try:
        record = tomllib.loads(read_text(path))
        published = tuple(
            Published(str(row["name"]), _pair(row["texts"]), float(row["cosine"]))
            for row in record["published"]
        )
        pairs = {kind: tuple(map(_pair, record["pairs"][kind])) for kind in KINDS}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is not a file of probes ({error}); it needs [[published]] and, under [pairs], "
            f"{', '.join(KINDS)}, each a list of pairs of texts."
        ) from None
    if not all(pairs.values()):
        raise DataError(f"{path} has a kind without pairs; add one to each of {', '.join(KINDS)}.")
    return Probes(published, pairs)


def score_probes(encoder: Encoder, probes: Probes, dims: Sequence[int]) -> list[ProbeScores]:
    """Cosines of all pairs at each dimension; terms are encoded once, as queries."""
    pairs = [pair for kind in KINDS for pair in probes.pairs[kind]]
    pairs += [row.texts for row in probes.published]
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    row_of = {text: row for row, text in enumerate(texts)}
    vectors = encoder.encode_queries(texts)
    scores = []
    for dim in dims:
        cut = truncate(vectors, dim, encoder.spec.start_of(dim)).astype(np.float64)

        def cosine(pair: Pair, cut: Column = cut) -> float:
            return float(cut[row_of[pair[0]]] @ cut[row_of[pair[1]]])

        scores.append(
            ProbeScores(
                dim=dim,
                cosines={kind: np.array([*map(cosine, probes.pairs[kind])]) for kind in KINDS},
                published={row.name: cosine(row.texts) for row in probes.published},
            )
        )
    return scores


def auc(scores: ProbeScores, above: str, below: str, seed: int = 0) -> Interval:
    """The chance that a pair of the kind ``above`` has a higher cosine than one of ``below``.

    The area under the ROC curve, ties counting half (Hanley and McNeil 1982): 1 is a perfect
    order, .5 none. The interval is by bootstrap over the pairs of each kind.
    """
    return _interval(_wins(scores, above, below), seed)


def auc_gain(
    base: ProbeScores, tuned: ProbeScores, above: str, below: str, seed: int = 0
) -> Interval:
    """Tuned's ``auc`` less base's, both over the same drawn pairs.

    Raises:
        DataError: the two are not scored on as many pairs.
    """
    before, after = (_wins(scores, above, below) for scores in (base, tuned))
    if before.shape != after.shape:
        raise DataError("The two models were probed with different pairs; probe both again.")
    return _interval(after - before, seed)


def _wins(scores: ProbeScores, above: str, below: str) -> Column:
    """(pairs above, pairs below): 1 where the first has the higher cosine, .5 where equal."""
    more, less = scores.cosines[above][:, None], scores.cosines[below][None, :]
    return np.asarray((more > less) + 0.5 * (more == less), dtype=np.float64)


def _interval(cells: Column, seed: int) -> Interval:
    rng = np.random.default_rng(seed)
    # How often each pair is drawn, instead of which: a product then gives the mean of a draw.
    rows, columns = (
        rng.multinomial(count, np.full(count, 1 / count), size=SAMPLES) / count
        for count in cells.shape
    )
    drawn = ((rows @ cells) * columns).sum(axis=1)
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Interval(float(cells.mean()), float(low), float(high))


def probe_record(scores: ProbeScores) -> Mapping[str, object]:
    """What ``--json`` prints of the scores at one dimension."""
    return {
        "dim": scores.dim,
        "published": scores.published,
        "above_unrelated": {name: scores.above_unrelated(name) for name in scores.published},
        "cosines": {kind: values.tolist() for kind, values in scores.cosines.items()},
    }


def _pair(texts: object) -> Pair:
    if not isinstance(texts, list) or len(texts) != 2 or not all(map(_is_text, texts)):
        raise ValueError(f"{texts!r} is not a pair of texts")
    return texts[0], texts[1]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
