"""Passages packed as long as chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from eval.rows import QaRow
from finetune.packs import packed_rows

WORDS = 10


def rows_of(company: str, count: int) -> list[QaRow]:
    return [
        QaRow(
            id=f"{company}{number}",
            question=f"What is {company} {number}?",
            answer="",
            context=" ".join([f"{company.lower()}{number}"] * WORDS),
            ticker=company,
            filing="2023_10K",
        )
        for number in range(count)
    ]


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def test_a_pack_holds_the_row_it_is_asked_for_and_passages_of_its_filing_alone() -> None:
    rows = rows_of("AA", 12) + rows_of("BB", 12)
    context = {row.question: row.context for row in rows}
    packs = packed_rows(rows, count_words, rounds=2, max_tokens=4 * WORDS)
    assert len(packs.rows) == len(packs.groups) == 2 * 2 * 3
    for row in packs.rows:
        title, _, text = row.context.partition("\n")
        assert title == f"{row.ticker} 2023 10K"
        assert context[row.question] in text.split("\n\n")
        assert len(text.split()) == 4 * WORDS
        assert all(word.startswith(row.ticker.lower()) for word in text.split())


def test_no_passage_stands_in_two_packs_of_a_group_and_each_round_packs_anew() -> None:
    packs = packed_rows(rows_of("AA", 40), count_words, rounds=2, max_tokens=5 * WORDS)
    held: dict[int, list[str]] = {}
    for row, group in zip(packs.rows, packs.groups, strict=True):
        held.setdefault(group, []).extend(row.context.partition("\n")[2].split("\n\n"))
    assert sorted(held) == [1, 2]
    assert all(len(set(texts)) == len(texts) == 40 for texts in held.values())
    assert held[1] != held[2]


def test_equal_contexts_stand_once_and_any_of_their_questions_may_be_asked() -> None:
    rows = rows_of("AA", 3)
    twin = QaRow("twin", "Twin?", "", rows[0].context.upper() + ".", "AA", "2023_10K")
    packs = packed_rows([*rows, twin], count_words, rounds=30, max_tokens=WORDS)
    assert Counter(packs.groups) == dict.fromkeys(range(1, 31), 3)
    assert {row.question for row in packs.rows} == {row.question for row in [*rows, twin]}


def test_a_filing_of_one_pack_and_blank_rows_give_none() -> None:
    blank = [QaRow("b", "", "", "text", "AA", ""), QaRow("c", "Why?", "", " ", "AA", "")]
    assert packed_rows(rows_of("AA", 3) + blank, count_words, rounds=1).rows == ()


def test_the_seed_decides() -> None:
    rows = rows_of("AA", 40)
    same, again, other = (
        packed_rows(rows, count_words, rounds=1, max_tokens=50, seed=seed) for seed in (1, 1, 2)
    )
    assert same == again != other
