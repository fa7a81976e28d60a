"""Filters: several values a field, companies by ticker, CIK or name, Items by chunk."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from rag_app.filters import item_order
from rag_app.records import Filing, Filters

NVIDIA = Filing(
    "NVIDIA Corp", "10-K", 2023, dt.date(2023, 1, 29), "0", "x", ticker="NVDA", cik="0001045810"
)
OLD = dataclasses.replace(NVIDIA, ticker="", cik="", company="Intel Corporation", form="10-K405")


@pytest.mark.parametrize(
    ("filters", "nvidia", "old"),
    [
        (Filters(), True, True),
        (Filters("nvda"), True, False),
        (Filters("1045810"), True, False),
        (Filters("0001045810"), True, False),
        (Filters("intel corporation"), False, True),
        (Filters(["AMD", "NVDA"]), True, False),
        (Filters(form=["10-Q", "10-k405"]), False, True),
        (Filters(fiscal_year=[2022, 2023]), True, True),
        (Filters(fiscal_year=2022), False, False),
        (Filters(period="2023-01"), True, True),
        (Filters(period=["2022", "2023-01-30"]), False, False),
        (Filters(item="7"), True, True),
    ],
)
def test_any_value_of_a_field_admits(filters: Filters, nvidia: bool, old: bool) -> None:
    assert (filters.admits(NVIDIA), filters.admits(OLD)) == (nvidia, old)


def test_an_item_is_exact() -> None:
    assert Filters().admits_item("")
    assert Filters(item=["7", "1a"]).admits_item("1A")
    assert not Filters(item="1A").admits_item("II-1A")
    assert not Filters(item="7").admits_item("7A")


def test_filters_read_as_a_sentence_part_and_as_json() -> None:
    filters = Filters(["NVDA", "AMD", "NVDA"], "10-K", [2022, 2023], item=["7", "7A"])
    assert str(filters) == "NVDA and AMD 10-K fiscal 2022 and 2023 Item 7 and 7A"
    assert str(Filters(period="2023-01")) == "period to 2023-01"
    assert str(Filters()) == "all filings"
    assert Filters(**filters.as_json()) == filters
    assert dataclasses.replace(filters, form="10-Q").form == ("10-Q",)
    assert hash(filters) == hash(Filters(**filters.as_json()))


def test_items_stand_in_the_order_of_a_filing() -> None:
    items = ["II-1A", "16G", "10", "7A", "9.01", "7", "1.05", "16", "1A", ""]
    ordered = ["", "1A", "1.05", "7", "7A", "9.01", "10", "16", "16G", "II-1A"]
    assert sorted(items, key=item_order) == ordered


def test_empty_values_restrict_nothing() -> None:
    assert not Filters("", "", None)
    assert Filters("", ["", "10-K"]) == Filters(form="10-K")
    assert Filters(item="7")
