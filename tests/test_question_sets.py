"""The question sets of tests/retrieval over the shared filings: size, format, words, quotes."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bm25s.stopwords import STOPWORDS_EN_PLUS
from golden_checks import chunk_passages, letters

from eval.files import read_jsonl
from eval.gold import relevant_passages
from eval.held import FILTERS, held_ids, load_held
from eval.protocols import build_evalset
from rag_app.chat.text import content_words
from rag_app.library import Library

FOLDER = Path(__file__).parent / "retrieval"
PARAPHRASED, UNANSWERABLE = FOLDER / "paraphrased.jsonl", FOLDER / "unanswerable.jsonl"
FIVE = {"NVDA", "AAPL", "MSFT", "META", "TSLA"}
FILINGS = ("COST_10-K_FY2022_2022-08-28.html", "NVDA_10-K_FY2024_2024-01-28.html")
"""Read here to hold the quotes; `eval run --protocol paraphrased` holds those of all."""
NAMES = """nvidia's apple's microsoft's meta's tesla's amazon's alphabet's broadcom's costco's
salesforce's fedex's general mills' goldman sachs' home depot's coca-cola's netflix's nike's
walmart's nvidia apple microsoft meta tesla amazon alphabet broadcom costco salesforce fedex mills
sachs depot coca-cola netflix nike walmart company company’s"""
KINDS = {"other company", "other form", "later", "earlier", "not disclosed"}


@cache
def lines_of(path: Path) -> list[dict[str, Any]]:
    return read_jsonl(path)


def telling(text: str) -> frozenset[str]:
    """Stems of the words that tell what is asked: no stop words, companies or years."""
    plain = " ".join([*STOPWORDS_EN_PLUS, NAMES, "much many per fiscal year years"])
    stems = content_words(text) - content_words(plain)
    return frozenset(stem for stem in stems if not re.fullmatch(r"(19|20)\d\d", stem))


def shared_words(question: str, gold: str) -> float:
    """Share of the question's telling words that stand in its gold."""
    asked = telling(question)
    return len(asked & telling(gold)) / len(asked)


def test_paraphrased_questions_are_many_and_varied() -> None:
    lines = lines_of(PARAPHRASED)
    assert len(held_ids(PARAPHRASED)) == len(lines) >= 160
    companies = Counter(line["filters"]["ticker"] for line in lines)
    assert len(companies) >= 12
    assert companies.keys() >= FIVE
    assert sum(companies[company] for company in FIVE) >= 60
    assert max(companies.values()) < len(lines) / 5
    assert len({letters(line["gold"]) for line in lines}) == len(lines)
    for line in lines:
        assert set(line) == {"id", "question", "filters", "filing", "gold"}
        assert tuple(line["filters"]) == FILTERS
        assert 12 <= len(re.findall(r"\w+", line["gold"])) <= 60, line["id"]
        assert re.search(r"\?( \(fiscal 2023\))?$", line["question"]), line["id"]
    assert sum("|" in line["gold"] for line in lines) >= 10  # rows of tables


def test_paraphrased_questions_share_few_words_with_their_golds() -> None:
    assert shared_words("What did NVIDIA spend in 2023?", "We spent and spend in 2023") == 1
    assert shared_words("How many shops and stores?", "Stores in 2023") == 0.5
    shares = {
        line["id"]: shared_words(line["question"], line["gold"]) for line in lines_of(PARAPHRASED)
    }
    assert statistics.mean(shares.values()) <= 0.15
    assert not [id_ for id_, share in shares.items() if share > 0.4]


def test_unanswerable_questions_are_many_and_say_why() -> None:
    lines = lines_of(UNANSWERABLE)
    assert len({line["id"] for line in lines}) == len(lines) >= 120
    assert len({(line["question"], line["filing"]) for line in lines}) == len(lines)
    assert len({line["filing"] for line in lines}) >= 12
    assert {line["kind"] for line in lines} == KINDS
    for line in lines:
        assert set(line) == {"id", "question", "filters", "filing", "kind", "absent", "why"}
        assert set(line["filters"]) <= set(FILTERS)
        assert line["filters"]["form"] in line["filing"]
        assert line["absent"] and line["why"].endswith("."), line["id"]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FILINGS)
def test_quotes_stand_in_their_filing_and_absent_words_do_not(shared_data: Path, name: str) -> None:
    chunks = chunk_passages(shared_data / "filings" / name)
    passages = {str(number): text for number, (text, _) in enumerate(chunks)}
    golds = [(line["id"], line["gold"]) for line in lines_of(PARAPHRASED) if line["filing"] == name]
    found = relevant_passages(golds, passages)
    assert golds
    assert not [id_ for id_, chunk_ids in found.items() if not chunk_ids]
    text = " ".join(" ".join(passages.values()).lower().replace("’", "'").split())
    absent = [
        t for line in lines_of(UNANSWERABLE) if line["filing"] == name for t in line["absent"]
    ]
    assert absent
    assert not [term for term in absent if re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text)]


def test_paraphrased_asks_held_questions_of_every_chunk(sample_home: Path) -> None:
    held = FOLDER / "questions.jsonl"
    asked = build_evalset("paraphrased", str(held), sample_home)
    library = Library(sample_home)
    questions = {question.id: question for question in load_held(held, library)}
    assert (asked.name, asked.one_gold, asked.corpus) == ("paraphrased", True, library.passages())
    assert asked.queries == {id_: question.text for id_, question in questions.items()}
    assert {id_: tuple(right) for id_, right in asked.qrels.items()} == {
        id_: question.right for id_, question in questions.items()
    }
    assert set(asked.admitted) == {"BRWG", "LKSP", "TSLT"}
    for id_, right in asked.qrels.items():
        assert right.keys() <= set(asked.admitted[asked.groups[id_]])
