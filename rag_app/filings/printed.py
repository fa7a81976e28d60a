"""The cover as its printed text gives it: form, company, ticker and period of old filings."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rag_app.filings.cover import Cover, normal_form, parse_date
from rag_app.records import Block

COVER_CHARACTERS = 12_000
_FRINGE = " _|\u00a0"

_PERIOD_LABEL = re.compile(
    r"(?:fiscal\s+years?|years?|quarter(?:ly)?|transition)(?:\s+period)?\s+ended:?"
    r"|date of report[^:\n]{0,60}:?|period ended:?",
    re.I,
)
_FORM = re.compile(
    r"\bform\s+(10-?K(?:405|SB(?:40)?|T(?:405)?)?|10-?Q|8-?K|20-?F)(/A)?(?![\w-])", re.I
)
_EXACT_NAME = re.compile(r"\(?\s*exact name of (?:the )?(?:registrant|small)", re.I)
_COMPANY = re.compile(
    r"[^()]{2,60}\b(?:inc|corp|corporation|company|co|ltd|limited|plc|llc|l\.?p|trust|n\.?v|s\.?a"
    r"|ag|se|group|holdings|bancorp|partners)\.?",
    re.I,
)
_LISTED = re.compile(
    r"\b([A-Z]{1,5}(?:\.[A-Z])?)[\s|]+(?:The\s+)?"
    r"(?:NASDAQ|Nasdaq|NYSE|New York Stock|Chicago Stock|Cboe)"
)


def cover_of_text(blocks: Sequence[Block]) -> Cover:
    """The cover as its printed text gives it."""
    lines: list[str] = []
    length = 0
    for block in blocks:
        lines += block.text.split("\n")
        length += len(block.text)
        if length > COVER_CHARACTERS:
            break
    text = "\n".join(lines)
    form = _FORM.search(text)
    return Cover(
        company=_printed_company(lines),
        ticker=_printed_ticker(text),
        form=normal_form(form[1] + (form[2] or "")) if form else "",
        period_end=_printed_period(text),
    )


def _printed_period(text: str) -> dt.date | None:
    for label in _PERIOD_LABEL.finditer(text):
        if date := parse_date(text[label.end() : label.end() + 60]):
            return date
    return None


def _printed_company(lines: Sequence[str]) -> str:
    """What stands before "(Exact name of registrant ...)", or a line that ends as names do."""
    for at, line in enumerate(lines):
        label = _EXACT_NAME.search(line)
        if label:
            for before in (line[: label.start()], *reversed(lines[max(0, at - 10) : at])):
                plain = not re.search(r"[()\d]", before) or _COMPANY.fullmatch(before)
                if plain and re.search(r"[A-Za-z]{2}", before):
                    return before.strip(_FRINGE)
    named = next((line for line in lines[:40] if _COMPANY.fullmatch(line.strip(_FRINGE))), "")
    return named.strip(_FRINGE)


def _printed_ticker(text: str) -> str:
    """The first symbol that stands before an exchange's name, where symbols are listed."""
    if not re.search(r"(?:trading|ticker)\s+symbol", text, re.I):
        return ""
    listed = _LISTED.search(text)
    return listed[1] if listed else ""


def printed_name(name: str, blocks: Iterable[Block]) -> str:
    """A name in capitals as the text spells its words: ``NVIDIA Corporation``, ``Amazon.com``.

    EDGAR's "/NEW/" and "/DE/" tails, which tell companies of one name apart, are cut off.
    """
    name = re.sub(r"\s*/\w+/?$", "", name.strip())
    if not name.isupper():
        return name
    forms: dict[str, Counter[str]] = {word.lower(): Counter() for word in name.split()}
    for block in blocks:
        if block.kind != "paragraph" or block.text.isupper():
            continue
        for word in block.text.split():
            if word.lower() in forms and not word.islower():
                forms[word.lower()][word] += 1
    return " ".join(
        forms[word.lower()].most_common(1)[0][0] if forms[word.lower()] else word.capitalize()
        for word in name.split()
    )
