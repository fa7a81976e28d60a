"""How a model's vectors lie in space, dimension by dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.retrieval import Encoder
from eval.rows import QaRow
from rag_app.errors import DataError
from rag_app.index.embedder import Vectors, truncate

BLOCK_ROWS = 512
SHARPNESS = 2.0
"""t of uniformity, as in its source."""


@dataclass(frozen=True, slots=True)
class Space:
    """Figures of unit vectors at one dimension, over texts of both kinds unless said otherwise.

    - ``average_cosine``: mean over all pairs of two texts; 0 where directions are random. Taken as
      a measure of anisotropy by Ethayarajh (2019, "How Contextual are Contextualized Word
      Representations?").
    - ``distance``: mean Euclidean distance of a pair, between 0 and 2; 1.41 where random.
    - ``utilisation``: the standard deviation of each coordinate over the texts, averaged over the
      coordinates. Source: the notebook of the numeric recipe (nomic-matryoshka-financial-
      embeddings, "Dimension utilization"), which measured five questions. Its README reads .036,
      .051 and .063 at 256, 128 and 64 as low, and lower the wider. But the squares of unit
      vectors' coordinates sum to 1, so that no model can exceed 1/√dim (.0625, .0884, .125).
    - ``utilised_share``: ``utilisation`` times √dim, the share of that bound, which does compare
      over dimensions; the README's figures are .58, .58 and .50.
    - ``norm_mean``, ``norm_std``: of the vectors' lengths; 1 and 0, or inner products are no
      cosines.
    - ``anisotropy``: share of the vectors' squared length along their one strongest direction;
      1/dim where none is preferred (Mu and Viswanath 2018, "All-but-the-Top", who found that few
      directions dominate).
    - ``uniformity``: log of the mean of exp(-2·distance²) over pairs; lower is more evenly spread,
      -4 about the least (Wang and Isola 2020, "Understanding Contrastive Representation
      Learning through Alignment and Uniformity on the Hypersphere").
    - ``alignment``: mean squared distance of a question and its own context; lower is closer
      (likewise). To be read beside uniformity: a model that maps all to one point has 0.
    - ``effective_rank``: exp of the entropy of the singular values, each divided by their sum;
      between 1 and dim (Roy and Vetterli 2007, "The effective rank").
    """

    dim: int
    average_cosine: float
    distance: float
    utilisation: float
    utilised_share: float
    norm_mean: float
    norm_std: float
    anisotropy: float
    uniformity: float
    alignment: float
    effective_rank: float


def sample_pairs(rows: Sequence[QaRow], texts: int, seed: int) -> tuple[list[str], list[str]]:
    """Questions and, in the same order, their contexts: ``texts`` in all, or as many as there are.

    Raises:
        DataError: fewer than two rows have both, or ``texts`` is under 4.
    """
    if texts < 4:
        raise DataError(f"--texts {texts} is too few to measure distances; give 4 or more.")
    whole = [row for row in rows if row.question.strip() and row.context.strip()]
    if len(whole) < 2:
        raise DataError("Fewer than two rows have a question and a context; check the columns.")
    count = min(texts // 2, len(whole))
    drawn = np.random.default_rng(seed).choice(len(whole), size=count, replace=False)
    kept = [whole[row] for row in sorted(drawn.tolist())]
    return [row.question for row in kept], [row.context for row in kept]


def measure_spaces(
    encoder: Encoder, questions: Sequence[str], contexts: Sequence[str], dims: Sequence[int]
) -> list[Space]:
    """Encode once, measure at each dimension; ``contexts[i]`` belongs to ``questions[i]``."""
    asked, told = encoder.encode_queries(questions), encoder.encode_documents(contexts)
    return [
        measure_space(*(truncate(part, dim, encoder.spec.start_of(dim)) for part in (asked, told)))
        for dim in dims
    ]


def measure_space(questions: Vectors, contexts: Vectors) -> Space:
    """The figures of (n, dim) vectors; row i of both belongs together, and n is 2 or more."""
    vectors = np.vstack([questions, contexts]).astype(np.float64)
    dim = vectors.shape[1]
    norms = np.linalg.norm(vectors, axis=1)
    cosine, distance, closeness = _pair_means(vectors)
    # The eigenvalues of the Gram matrix are the squared singular values.
    energy = np.clip(np.linalg.eigvalsh(vectors.T @ vectors), 0, None)
    utilisation = float(vectors.std(axis=0).mean())
    gaps = vectors[: len(questions)] - vectors[len(questions) :]
    return Space(
        dim=dim,
        average_cosine=cosine,
        distance=distance,
        utilisation=utilisation,
        utilised_share=utilisation * float(np.sqrt(dim)),
        norm_mean=float(norms.mean()),
        norm_std=float(norms.std()),
        anisotropy=float(energy[-1] / energy.sum()),
        uniformity=float(np.log(closeness)),
        alignment=float((gaps**2).sum(axis=1).mean()),
        effective_rank=_effective_rank(np.sqrt(energy)),
    )


def _pair_means(vectors: NDArray[np.float64]) -> tuple[float, float, float]:
    """Means over pairs of two rows: inner product, distance, exp(-2·distance²).

    In blocks of rows, so that memory grows with n and not with its square.
    """
    count = len(vectors)
    squares = (vectors**2).sum(axis=1)
    sums = np.zeros(3)
    for start in range(0, count, BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS]
        products = block @ vectors.T
        squared = np.clip(
            squares[start : start + len(block), None] + squares[None] - 2 * products, 0, None
        )
        after = np.arange(count)[None] > np.arange(start, start + len(block))[:, None]
        products, squared = products[after], squared[after]
        sums += (products.sum(), np.sqrt(squared).sum(), np.exp(-SHARPNESS * squared).sum())
    cosine, distance, closeness = sums / (count * (count - 1) / 2)
    return float(cosine), float(distance), float(closeness)


def _effective_rank(singular: NDArray[np.float64]) -> float:
    shares = singular[singular > 0] / singular.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
