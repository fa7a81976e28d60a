"""Forgetting: does a model tuned on filings still find passages about anything else?

The general set under ``eval/general`` was written for this project: short passages on cooking,
geography, biology, software, sport, history and how-to, several of them near in subject, asked in
other words than theirs. It is in the BEIR layout, so that ``eval run --protocol beir --data
eval/general`` scores it too. NanoBEIR (13 small public sets of 50 questions) comes from the hub.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from eval.evalset import EvalSet
from eval.protocols import build_evalset
from eval.report import Report
from eval.statistics import Difference, paired_difference
from rag_app.errors import DataError

GENERAL = Path(__file__).with_name("general")
METRIC = "ndcg@10"
NANO_HUB = "sentence-transformers/NanoBEIR-en"
NANO_SETS = {
    "arguana": "NanoArguAna",
    "climatefever": "NanoClimateFEVER",
    "dbpedia": "NanoDBPedia",
    "fever": "NanoFEVER",
    "fiqa2018": "NanoFiQA2018",
    "hotpotqa": "NanoHotpotQA",
    "msmarco": "NanoMSMARCO",
    "nfcorpus": "NanoNFCorpus",
    "nq": "NanoNQ",
    "quoraretrieval": "NanoQuoraRetrieval",
    "scidocs": "NanoSCIDOCS",
    "scifact": "NanoSciFact",
    "touche2020": "NanoTouche2020",
}
"""Our name of a set → its split on the hub."""


@dataclass(frozen=True, slots=True)
class Kept:
    """nDCG@10 of one set at one dimension; base and difference where there is a base."""

    evalset: str
    dim: int
    queries: int
    corpus: int
    tuned: float
    base: float | None = None
    difference: Difference | None = None


def general_set(home: Path) -> EvalSet:
    """The set that ships with the project.

    Raises:
        DataError: its files are gone.
    """
    return build_evalset("beir", str(GENERAL), home)


def nano_set(name: str) -> EvalSet:
    """A set of NanoBEIR, from the hub or its cache.

    Raises:
        DataError: there is no such set (the known ones are listed), or it cannot be fetched.
    """
    if name not in NANO_SETS:
        raise DataError(f"NanoBEIR has no set {name}; choose all or from {', '.join(NANO_SETS)}.")
    corpus, queries, judged = (_fetch(name, part) for part in ("corpus", "queries", "qrels"))
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    for row in judged:
        found = row["corpus-id"]
        for passage_id in found if isinstance(found, list) else [found]:
            qrels[str(row["query-id"])][str(passage_id)] = 1
    texts = {str(row["_id"]): str(row["text"]) for row in queries}
    return EvalSet(
        name=f"nanobeir {name}",
        queries={query_id: texts[query_id] for query_id in qrels},
        corpus={str(row["_id"]): str(row["text"]) for row in corpus if row["text"]},
        qrels=dict(qrels),
        groups=dict.fromkeys(qrels, ""),
    )


def what_is_kept(tuned: Report, base: Report | None) -> list[Kept]:
    """The score at each dimension of the tuned model; beside it the base's, where it has it."""
    rows = []
    for system, values in tuned.per_query.items():
        row = (tuned.protocol, int(system), tuned.queries, tuned.corpus)
        score = tuned.metrics[system][METRIC]
        if base is None or system not in base.metrics:
            rows.append(Kept(*row, tuned=score))
            continue
        difference = paired_difference(base.per_query[system][METRIC], values[METRIC], tuned.groups)
        rows.append(Kept(*row, score, base.metrics[system][METRIC], difference))
    return rows


def _fetch(name: str, part: str) -> list[dict[str, object]]:
    from datasets import load_dataset
    from huggingface_hub.utils import logging

    # Its retries warn two lines each; the one sentence below says the outcome.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        return [dict(row) for row in load_dataset(NANO_HUB, part, split=NANO_SETS[name])]
    except Exception as error:
        raise DataError(
            f"NanoBEIR's {name} could not be fetched from the hub ({type(error).__name__}); leave "
            "out --nanobeir, or run where huggingface.co can be reached."
        ) from None
