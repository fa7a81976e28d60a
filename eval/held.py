"""Questions that are held: each with its filters, the filing that answers it, and the passage.

JSON Lines; a line needs ``question``, ``filing`` (the file's name, or the filing's key) and
``gold``, the passage quoted from it. It may have ``filters`` (``ticker``, ``form``,
``fiscal_year``) with which the question is asked, and an ``id``, else one made from the text::

    {"question": "Who sued Tessaline over patents?", "filters": {"ticker": "TSLT"},
     "filing": "TSLT_10-K_FY2023.html", "gold": "In February 2023 a competitor, Ardmere Systems"}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.files import read_jsonl
from eval.rows import check_columns, text_of
from rag_app.errors import DataError
from rag_app.library import Library
from rag_app.records import Filters

NEEDED = ("question", "filing", "gold")
FILTERS = ("ticker", "form", "fiscal_year")


@dataclass(frozen=True, slots=True)
class HeldQuestion:
    """A question that retrieval has to answer; ``filing`` is a key of the library.

    ``group`` is the company, ``right`` are the chunks that hold the gold: none where the chunker
    cut it to pieces, which retrieval cannot mend and the gate counts as a miss.
    """

    id: str
    text: str
    filters: Filters
    filing: str
    gold: str
    group: str
    right: tuple[str, ...]

    @property
    def query_sha256(self) -> str:
        """Hash of what is asked."""
        asked_of = self.filters
        year = asked_of.fiscal_year[0] if asked_of.fiscal_year else None
        named = ["".join(asked_of.ticker), "".join(asked_of.form), year]
        # As baselines have it since a filter had one value a field.
        return _hash([self.text, dict(zip(FILTERS, named, strict=True))])

    @property
    def qrel_sha256(self) -> str:
        """Hash of what is right, however it is chunked."""
        return _hash([self.filing, self.gold])


def held_ids(path: Path) -> list[str]:
    """The ids of a file of questions, without a library.

    Raises:
        DataError: the file cannot be read, holds none, lacks fields, or repeats an id.
    """
    lines = read_jsonl(path)
    if not lines:
        raise DataError(f"{path} holds no questions; add one JSON object a line.")
    check_columns(str(path), lines, NEEDED)
    ids = [_id_of(line) for line in lines]
    repeated = [id_ for id_, count in Counter(ids).items() if count > 1]
    if repeated:
        raise DataError(f"{path} holds {', '.join(repeated)} twice; make ids and questions differ.")
    return ids


def load_held(path: Path, library: Library) -> list[HeldQuestion]:
    """The questions of a file, with the chunks of the library that hold their golds.

    Raises:
        DataError: as ``held_ids``; or a line asks of a filing that the library lacks, quotes what
            does not stand in it, or has filters that are unknown or leave that filing out.
    """
    from eval.gold import relevant_passages
    from rag_app.filings.chunks import passage_text

    ids, lines = held_ids(path), read_jsonl(path)
    stored = library.filings()
    named = {Path(found.filing.source).stem: key for key, found in stored.items()}
    keys = {}
    for id_, line in zip(ids, lines, strict=True):
        name = str(line["filing"])
        # A key may itself hold a dot (BRK.B_10-K_…), so an ending is cut only where that helps.
        key = name if name in stored else named.get(name) or named.get(Path(name).stem)
        if key is None:
            raise DataError(
                f"Question {id_} of {path} asks of {name}, which is not in the library at "
                f"{library.home}; ingest it first."
            )
        keys[id_] = key
    golds = {id_: text_of(line["gold"]) for id_, line in zip(ids, lines, strict=True)}
    right: dict[str, list[str]] = {}
    for key in sorted(set(keys.values())):
        asked = [(id_, golds[id_]) for id_ in ids if keys[id_] == key]
        version = stored[key].version
        _check_quotes(asked, key, library, path)
        passages = {id_: passage_text(node) for id_, node in library.chunks(key, version).items()}
        right |= relevant_passages(asked, passages)
    held = []
    for id_, line in zip(ids, lines, strict=True):
        filing = stored[keys[id_]].filing
        filters = _filters(line.get("filters") or {}, f"Question {id_} of {path}")
        if not filters.admits(filing):
            raise DataError(
                f"The filters of question {id_} of {path} ({filters}) leave out {keys[id_]}, "
                "which answers it; mend that line."
            )
        held.append(
            HeldQuestion(
                id=id_,
                text=text_of(line["question"]),
                filters=filters,
                filing=keys[id_],
                gold=golds[id_],
                group=filing.ticker or filing.company,
                right=tuple(right[id_]),
            )
        )
    return held


def _check_quotes(asked: list[tuple[str, str]], key: str, library: Library, path: Path) -> None:
    version = library.filings()[key].version
    whole = " ".join(_flat(section.text) for section in library.sections(key, version))
    wrong = [id_ for id_, gold in asked if not _flat(gold) or _flat(gold) not in whole]
    if wrong:
        raise DataError(
            f"The gold of {', '.join(wrong)} in {path} does not stand in {key}; quote the filing "
            "word for word."
        )


def _flat(text: str) -> str:
    """Letters and digits alone, as ``eval/gold.py`` compares them."""
    return "".join(re.findall(r"[^\W_]+", text.lower()))


def _filters(named: Any, where: str) -> Filters:
    if not isinstance(named, dict) or not set(named) <= set(FILTERS):
        raise DataError(f"{where} has filters other than {', '.join(FILTERS)}; mend that line.")
    year = named.get("fiscal_year")
    if year is not None and not isinstance(year, int):
        raise DataError(f"{where} has a fiscal_year that is no number; mend that line.")
    return Filters(
        ticker=text_of(named.get("ticker")), form=text_of(named.get("form")), fiscal_year=year
    )


def _id_of(line: dict[str, Any]) -> str:
    return str(line["id"]) if "id" in line else "q" + _hash(text_of(line["question"]))[:8]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
