"""Questions, the passages they are asked of, and which passages are right."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from eval.rows import QaRow
from eval.splits import company_of, notebook_split
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class EvalSet:
    """A retrieval task: query id → text, passage id → text, and the right passages of each query.

    ``qrels`` maps query id → passage id → relevance (1); a query whose gold stands in no passage
    has none, and is a miss. ``groups`` maps query id → company ticker. ``admitted`` maps a company
    → ids of the passages that a filter on it leaves; empty where nothing is filtered. With
    ``one_gold`` the right passages of a query are the same gold over again (see ``first_hits``).
    ``fold`` is ``2/5`` where it is a part of a larger set, whose hash is ``whole_sha256``.
    """

    name: str
    queries: dict[str, str]
    corpus: dict[str, str]
    qrels: dict[str, dict[str, int]]
    groups: dict[str, str]
    admitted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    one_gold: bool = False
    fold: str = ""
    whole_sha256: str = ""

    def only(self, query_ids: Collection[str]) -> EvalSet:
        """The same corpus, asked these of its queries alone."""
        queries = {id_: text for id_, text in self.queries.items() if id_ in query_ids}
        return dataclasses.replace(
            self,
            queries=queries,
            qrels={id_: self.qrels[id_] for id_ in queries},
            groups={id_: self.groups[id_] for id_ in queries},
        )

    @property
    def sha256(self) -> str:
        """Hash of all of it, whatever the order; reports pair only where it is the same."""
        parts: list[object] = [self.name, self.queries, self.corpus, self.qrels, self.groups]
        # Left out where unused: reports from before these fields keep their hash.
        if self.admitted or self.one_gold:
            parts += [{who: sorted(ids) for who, ids in self.admitted.items()}, self.one_gold]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def goldless(self) -> int:
        """How many questions have no right passage at all; each counts as a miss."""
        return sum(not self.qrels.get(query_id) for query_id in self.queries)


Run = Mapping[str, Mapping[str, float]]
"""Query id → passage id → score, higher is better."""


def first_hits(
    run: Run, qrels: Mapping[str, Mapping[str, int]]
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, int]]]:
    """Run and qrels in which each query has one gold, found where its first right passage ranks.

    Overlapping chunks and passages printed twice hold the same gold: a person who has found it is
    not better off with its copies, so the later ones are passed over. Recall is then the share of
    questions whose gold was found, and nDCG that of one right passage.
    """
    kept, golds = {}, {}
    for query_id, right in qrels.items():
        scores = run.get(query_id, {})
        found = sorted(right.keys() & scores.keys(), key=lambda id_: (-scores[id_], id_))
        later = set(found[1:])
        kept[query_id] = {id_: value for id_, value in scores.items() if id_ not in later}
        gold = found[:1] or sorted(right)[:1]
        golds[query_id] = dict.fromkeys(gold, 1)
    return kept, golds


def notebook_evalset(rows: Sequence[QaRow]) -> EvalSet:
    """The notebook's test: each test question against the contexts of all rows, one gold each.

    Equal contexts keep their own ids, so a twin of the gold counts as wrong, as in the notebook.

    Raises:
        DataError: fewer than 10 rows, or no test row with a question and a context.
    """
    _, test = notebook_split(rows)
    # A blank question has no answer to find. The published data set has none in its test part.
    asked = [row for row in test if row.question.strip() and row.context.strip()]
    if not asked:
        raise DataError("No test row has both a question and a context; check the columns.")
    return EvalSet(
        name="notebook",
        queries={row.id: row.question for row in asked},
        corpus={row.id: row.context for row in rows},
        qrels={row.id: {row.id: 1} for row in asked},
        groups={row.id: company_of(row) for row in asked},
    )
