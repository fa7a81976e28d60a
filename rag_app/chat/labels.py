"""What a figure measures, as words: labels of rows, concepts and sentences made comparable."""

from __future__ import annotations

import functools
import re

from rag_app.chat.periods import without_periods
from rag_app.chat.text import content_words

_SHORT = {
    "r&d": "research and development",
    "sg&a": "selling general and administrative",
    "sga": "selling general and administrative",
    "g&a": "general and administrative",
    "eps": "earnings per share",
    "capex": "capital expenditures",
    "cogs": "cost of goods sold",
    "d&a": "depreciation and amortization",
    "ppe": "property plant and equipment",
    "pp&e": "property plant and equipment",
    "roe": "return on equity",
    "opex": "operating expenses",
    "non-current": "noncurrent",
    "non current": "noncurrent",
    "non-": "non",
    "u.s.": "united states",
    "share-based": "stock based",
    "shareholders": "stockholders",
    "shareowners": "stockholders",
    "sales, general and": "selling general and",
    "operating cash flow": "net cash provided by operating activities",
    "operating cash flows": "net cash provided by operating activities",
    "cash flow from operations": "net cash provided by operating activities",
    "cash flows from operations": "net cash provided by operating activities",
    "operating revenue": "revenue",
    "operating revenues": "revenues",
    "bottom line": "net income",
    "top line": "revenue",
    # XBRL's name of what every statement calls revenue or net sales.
    "from contract with customer": "",
    "excluding assessed tax": "",
    "including assessed tax": "",
}
_SHORTENED = re.compile(
    rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(_SHORT, key=len, reverse=True)))})(?![\w&])"
    r"|(?<!\w)non-(?=\w)",
    re.IGNORECASE,
)
_SAME = {
    "sale": "revenu",
    "turnov": "revenu",
    "profit": "incom",
    "earn": "incom",
    "loss": "incom",
    "sharehold": "stockhold",
    "shareown": "stockhold",
    "borrow": "debt",
    "employe": "employ",
}
"""Stems that mean the same in a filing."""
WEAK = frozenset({"total", "net", "consolid", "aggreg", "amount", "overal", "less", "balanc"})
"""Words that a label may have or lack without becoming another figure, if nothing else fits."""
TELLING = frozenset(
    {
        "current",
        "noncurr",
        "defer",
        "accru",
        "gross",
        "oper",
        "comprehens",
        "befor",
        "short",
        "long",
        "dilut",
        "basic",
        "pretax",
        "unreal",
        "realiz",
        "foreign",
        "domest",
        "internat",
        "accumul",
        "other",
        "unalloc",
        "purchas",
        "adjust",
        "gaap",
        "undistribut",
        "begin",
        "end",
        "issu",
        "outstand",
        "author",
        "averag",
        "proceed",
        "repay",
        "payabl",
        "receiv",
        "cost",
        "minimum",
        "maximum",
    }
)
"""Words that make another figure of what they stand before; both sides have them, or neither."""
_NARRATIVE = frozenset(
    content_words(
        "was were been has had have its their our we it's which that who reported report "
        "reports recorded record posted stood stands came amounted amounting totaled totalled "
        "totaling totalling equaled equalled reached about approximately roughly around nearly "
        "almost over under more less than up down from against versus compared comparison year "
        "years fiscal quarter quarters month months ended ending period periods company "
        "companies company's group according filing filings statement states stated passage "
        "table figure figures value shown shows show said says increase increased increases "
        "increasing decrease decreased decreases decreasing rose rise risen rising fell fall "
        "fallen falling grew grow growth growing declined decline declines declining dropped "
        "drop climbed climb jumped jump change changed changes higher lower gain gained million "
        "millions billion billions thousand thousands trillion dollars dollar usd cents percent "
        "percentage point points basis bps respectively also while whereas during per annum "
        "10-k 10-q 8-k form item note notes see as-reported did does do would can could may "
        "might this these those each both same respective expressed corresponding corresponds "
        "earlier prior previous preceding last first second third fourth half january february "
        "march april may june july august september october november december because due "
        "driven mainly primarily what how much all out there here only just some any i you he "
        "she they them us one two there's between range ranged ranging to of off by at after "
        "since through until within level put books carried listed given gives give line book "
        "reads read showed worked works out made make makes combined together altogether "
        "portion negative minus sat came comes come went gone brought bring ran run hit hits s "
        "answer "
    )
)
_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_NOTES = re.compile(r"\((?:\d{1,2}|[a-z])\)", re.IGNORECASE)
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")


@functools.lru_cache(maxsize=65536)
def label_words(text: str) -> frozenset[str]:
    """The words of a label or clause that say what is measured, stemmed, in one wording.

    Periods, numbers, parentheses and the words of telling it ("amounted", "rose") are left out.
    """
    text = _PARENTHESES.sub(" ", without_periods(text))
    text = _SHORTENED.sub(lambda match: f" {_SHORT[match[0].lower()]} ", text)
    words = content_words(_DIGITS.sub(" ", text).replace("-", " ").replace("/", " "))
    return frozenset(_SAME.get(word, word) for word in words - _NARRATIVE)


@functools.lru_cache(maxsize=65536)
def label_digits(text: str) -> frozenset[str]:
    """The numbers of a label: "2.85% notes due 2030" is another row than "3.50% notes due 2040"."""
    return frozenset(_DIGITS.findall(without_notes(text).replace(",", "")))


def without_notes(label: str) -> str:
    """A label without the marks of its footnotes: "Singapore (1)"."""
    return _NOTES.sub(" ", label)


@functools.lru_cache(maxsize=65536)
def concept_words(name: str) -> frozenset[str]:
    """The words of an XBRL name: ``us-gaap:AssetsCurrent`` has those of "assets current"."""
    local = name.rpartition(":")[2]
    for ending in ("Member", "Axis", "TextBlock"):
        local = local.removesuffix(ending)
    return label_words(" ".join(_CAMEL.findall(local)))


def weight(words: frozenset[str]) -> float:
    """How much words count: a weak one a fifth."""
    return sum(0.2 if word in WEAK else 1.0 for word in words)
