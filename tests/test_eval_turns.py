"""Questions asked of two systems in turns: all of them, in blocks, each begun untimed."""

from __future__ import annotations

from eval.benches.turns import BLOCK, in_turns


def test_every_way_answers_every_question_in_blocks_begun_by_one_that_is_not_timed() -> None:
    asked: list[tuple[str, int]] = []

    def way(name: str, question: int) -> int:
        asked.append((name, question))
        return 10 * question

    questions = list(range(BLOCK + 5))
    ways = {"one": lambda q: way("one", q), "other": lambda q: way("other", q)}
    answered = in_turns(ways, questions)
    for name in ways:
        assert [found for _, found in answered[name]] == [10 * q for q in questions]
        assert all(seconds >= 0 for seconds, _ in answered[name])
        mine = [q for who, q in asked if who == name]
        assert mine == [BLOCK + 4, *range(BLOCK), BLOCK - 1, *range(BLOCK, BLOCK + 5)]
    first = [asked[0][0], asked[2 * (BLOCK + 1)][0]]
    assert first == ["one", "other"], "the way that begins changes"
