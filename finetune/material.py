"""Training rows to the pairs that a recipe asks for: short passages, served chunks, negatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from eval.rows import QaRow
from finetune.config import TrainConfig
from finetune.feedback_rows import NO_FEEDBACK, Feedback
from finetune.mine import mine_negatives, negative_texts
from finetune.packs import Packs, packed_rows
from finetune.pairs import Pairs, build_pairs
from finetune.serving_pairs import serving_pairs
from rag_app.bars import counting_bar
from rag_app.filings.chunks import token_counter
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec
from rag_app.library import Library


def training_pairs(
    rows: Sequence[QaRow],
    config: TrainConfig,
    spec: ModelSpec,
    home: Path,
    say: Callable[[str], None],
    feedback: Feedback = NO_FEEDBACK,
) -> Pairs:
    """The pairs of the training rows and of the feedback, and of no others.

    Hard negatives of short passages are mined with the untuned base and BM25; a chunk's come from
    its own filings.

    Raises:
        DataError: too few rows, or ``serve_on`` and no filing of their companies in the library.
    """
    used, negatives = list(rows), {}
    if config.negatives:
        negatives = _mined([*rows, *feedback.rows], config, spec)
    if config.serve_on == "library":
        served = serving_pairs(rows, Library(home), count=config.negatives)
        say(str(served))
        used += served.rows
        negatives |= served.negatives
    packs = Packs((), ())
    if config.packs:
        packs = packed_rows(
            rows,
            token_counter(),
            rounds=config.packs,
            max_tokens=config.pack_tokens,
            seed=config.seed,
        )
        say(f"{len(packs.rows)} packs of {config.pack_tokens} tokens, each with one question.")
    repeats = feedback.repeats(config.feedback_share, among=len(used) + len(packs.rows))
    if feedback.rows:
        say(f"{feedback}; each trains {repeats} times an epoch.")
    pairs = build_pairs(
        [*used, *feedback.rows * repeats, *packs.rows],
        config.columns,
        merge_duplicates=config.merge_duplicates,
        negatives=negatives if config.negatives else None,
    )
    loose = len(pairs.dataset) - len(packs.rows)
    return replace(pairs, groups=(0,) * loose + packs.groups, repeats=repeats)


def _mined(
    rows: Sequence[QaRow], config: TrainConfig, spec: ModelSpec
) -> dict[str, tuple[str, ...]]:
    """Row id → wrong passages."""
    with counting_bar("Mining", None, "texts") as advance:
        mined = mine_negatives(
            rows,
            embedder=Embedder(spec),
            count=config.negatives,
            ceiling=config.negative_ceiling,
            on_progress=advance,
        )
    return negative_texts(mined)
