"""Periods in words and in column heads, and when two of them may be one."""

from __future__ import annotations

import datetime as dt

import pytest

from rag_app.chat.periods import Calendar, agree, periods_in

NVIDIA = Calendar(dt.date(2023, 1, 29), 2023, annual=True)
HOME_DEPOT = Calendar(dt.date(2025, 2, 2), 2024, annual=True)


@pytest.mark.parametrize(
    ("text", "year", "date", "months"),
    [
        ("in fiscal 2023", 2023, None, None),
        ("FY23", 2023, None, None),
        ("Year Ended January 29, 2023", None, dt.date(2023, 1, 29), 12),
        ("Three Months Ended Jul 27, 2025", None, dt.date(2025, 7, 27), 3),
        ("52 weeks ended Feb. 2 2025", None, dt.date(2025, 2, 2), 12),
        ("Q2 2026", 2026, None, 3),
        ("12/31/2023", None, dt.date(2023, 12, 31), None),
    ],
)
def test_periods_in(text: str, year: int | None, date: dt.date | None, months: int | None) -> None:
    (period,) = periods_in(text)
    assert (period.year, period.date, period.months) == (year, date, months)


@pytest.mark.parametrize("text", ["$2023", "2,023 units", "10-K", "2000 million", "May be 3 of us"])
def test_numbers_that_are_no_periods(text: str) -> None:
    assert periods_in(text) == []


@pytest.mark.parametrize(
    ("named", "shown", "calendar", "same"),
    [
        ("fiscal 2023", "January 29, 2023", NVIDIA, True),
        ("fiscal 2022", "January 29, 2023", NVIDIA, False),
        ("fiscal 2024", "February 2, 2025", HOME_DEPOT, True),
        ("fiscal 2024", "January 28, 2024", HOME_DEPOT, False),
        ("January 2023", "January 29, 2023", NVIDIA, True),
        ("the three months ended July 27, 2025", "Six Months Ended July 27, 2025", None, False),
        ("2023", "Three Months Ended October 30, 2022", NVIDIA, False),
    ],
)
def test_agree(named: str, shown: str, calendar: Calendar | None, same: bool) -> None:
    assert agree(periods_in(named)[0], periods_in(shown)[0], calendar) is same
