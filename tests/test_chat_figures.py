"""Figures: which numbers count, and when a passage shows one."""

from __future__ import annotations

import pytest

from rag_app.chat.figures import numbers_in, shows

TABLE = (
    "In millions\n| | 2023 | 2022 |\n| Revenue | $26,974 | $26,914 |\n| Margin | 56.9% | 64.9% |"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Revenue was $26,974 million [1].", ["$26,974 million"]),
        ("In fiscal 2023, on January 29, three items rose.", []),
        ("It fell 12.5% to $1.05 per share [2][3].", ["12.5%", "$1.05"]),
        ("A loss of (1,234) followed.", ["(1,234)"]),
        ("Form 10-K of 2022", []),
    ],
)
def test_numbers_in(text: str, expected: list[str]) -> None:
    assert [number.text for number in numbers_in(text)] == expected


@pytest.mark.parametrize(
    "figure",
    ["26,974", "$26,974 million", "$26.97 billion", "$27.0 billion", "56.9%", "$26,974,000,000"],
)
def test_shown(figure: str) -> None:
    assert shows(TABLE, numbers_in(figure)[0])


@pytest.mark.parametrize(
    "figure", ["26,975", "$26,974 billion", "$26.98 billion", "26.9 million", "57%", "$2,697"]
)
def test_not_shown(figure: str) -> None:
    assert not shows(TABLE, numbers_in(figure)[0])


@pytest.mark.parametrize(
    ("figure", "shown"),
    [("$2.68 billion", True), ("$2.67 billion", True), ("$2.66 billion", False), ("2.675", False)],
)
def test_a_tie_may_be_rounded_either_way(figure: str, shown: bool) -> None:
    table = "In millions\n| | 2023 |\n| Revenue | $2,675 |"
    assert shows(table, numbers_in(figure)[0]) == shown


def test_a_scale_word_in_prose_counts() -> None:
    assert shows("Net revenue grew to $412.3 million.", numbers_in("$412,300 thousand")[0])
    assert not shows("Net revenue grew to $412.3 million.", numbers_in("$412.3 billion")[0])


LOSSES = (
    "(In millions, except per share data)\n| | 2023 | 2022 |\n| Other, net | (48) | 107 |\n"
    "| Net income per share | 1.74 | 3.85 |"
)


@pytest.mark.parametrize("figure", ["-$48 million", "−48", "$48 million", "(48)", "107", "$1.74"])
def test_a_sign_that_fits_the_table_is_shown(figure: str) -> None:
    assert shows(LOSSES, numbers_in(figure)[0])


@pytest.mark.parametrize("figure", ["-$107 million", "−107", "-$0.107 billion", "$1.74 million"])
def test_a_minus_without_parentheses_and_a_scaled_share_are_not(figure: str) -> None:
    assert not shows(LOSSES, numbers_in(figure)[0])


def test_a_range_has_no_minus_sign() -> None:
    assert [number.minus for number in numbers_in("10-35% of $-40 or -$50")] == [False, True, True]
