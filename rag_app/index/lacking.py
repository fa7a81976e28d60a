"""Companies that a question names and the library lacks: told by a table of well-known names."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rag_app.companies import Company
from rag_app.index.known_companies import Known, by_ticker, patterns, plain
from rag_app.index.names import TICKER, core, mentions, unknown_tickers
from rag_app.index.wording import NO_TICKERS, OPENERS, TABLE_ABBREVIATIONS

_POSSESSIVE = re.compile(r"['’]s?(?!\w)")
_LEGAL = re.compile(r",?\s+(?:inc|corp|corporation|company|co|plc|ltd|holdings|group)\b", re.I)
_PRODUCT = re.compile(r"\s+[A-Z][a-z]|-\w|\s?[®™]")
_WHOLE_NAME = re.compile(
    r"(?:\s+(?:[A-Z][\w.-]+|&)){1,3},?\s+(?:Inc|Corp|Corporation|Company|Co|plc|Ltd|LLC)\b"
)
_NUMBERED = re.compile(r"\s+\d")
_ARTICLE = re.compile(r"\b(?:the|an?|any|each|every|its|our|this|that|no)\s+$", re.I)
_CAPITAL_BEFORE = re.compile(r"(?:^|[.?!:]\s+)\w+\s+$|(?P<capital>[A-Z][\w&-]*)\s+$")
_SENTENCE = re.compile(r"(?:^|[.?!:]\s*)[\"“(]*$")

# A company that another one deals with is no subject: the question is asked of the other's filings.
_DEALT_WITH = re.compile(
    r"""\b(?:
      (?:acqui\w+|purchas\w+|merger|spin-?offs?|separation|divest\w+|ownership)\s
        (?:\w+\s){0,2}?of
    | (?:acqui\w+|purchas\w+|s[eo]ll?[ds]?|sales|revenues?|invest\w+|agreements?|arrangements?
        |contracts?|deals?|partner\w*|collaborat\w+|alliances?|transactions?|ventures?|lawsuits?
        |suits?|litigation|disputes?|complaints?|claims?|settle\w*|compet\w+|suppl\w+|depend\w*
        |rely|relies|relian\w+|relationships?|licens\w+|royalt\w+|merge[rd]?|payments?|paid|loans?)
        \s(?:\w+\s){0,3}?(?:with|in|from|to|against|on)
    | (?:stakes?|interests?|shares?|holdings)\s(?:\w+\s){0,2}?in
    | (?:h[eo]ld|work\w*|employed|serv\w+|director|officer|owned)\s(?:\w+\s){0,3}?(?:at|by)
    | acquir\w+|buy|bought|sued?|suing|owns?|mentions?|names?|serves?|supply|supplies
    | (?:such\sas|like|unlike|including|called|named|competitors?|customers?|suppliers?|rivals?)
    | say\w*\s(?:about|on|of)
    )\s+(?:the\s)?$""",
    re.IGNORECASE | re.VERBOSE,
)
_DEAL = re.compile(
    r"\s+(?:acqui\w+|mergers?|investments?|transactions?|stakes?|deals?|settle\w+|lawsuits?"
    r"|litigation|cases?|complaints?|agreements?|partnerships?|separation|spin-?offs?|divest\w+"
    r"|IPO|integration|initial\spublic|shares|stores?|cards?|brands?|users?|devices?|platforms?|apps?|plans?)\b"
)
_OTHERS = re.compile(
    r"\b(?:which|what|any|other|many|these|those|all)\s(?:\w+\s)?"
    r"(?:compan(?:y|ies)|firms?|filings?|filers?|businesses|competitors|customers|suppliers)\b"
    r"|\bthe\s(?:company|firm|registrant|corporation|bank|issuer|filing|10-[KQ])\b|\b(?:we|our|us)\b",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:compar\w+|versus|vs|than|differ\w*|relative\sto|respectively|either|both|each)\b", re.I
)
_JOINING = re.compile(
    r"(?:['’]s?)?\s*(?:,|,?\s*\band\b|,?\s*\bor\b|\bvs\b\.?|\bversus\b|&|/)\s*(?:of\s)?"
)
_OWNER = re.compile(r"(?<![\w&.-])((?:[A-Z][\w&-]*\s+){0,3}[A-Z][\w&-]{2,})['’]s(?!\w)")


@dataclass(frozen=True, slots=True)
class Lacked:
    """Where a text, from ``start`` to ``end``, names a company that the library lacks."""

    start: int
    end: int
    known: Known


def lacked(text: str, companies: Sequence[Company]) -> list[Lacked]:
    """Where the text names well-known companies that the library lacks, in its order.

    The library's own names win, whatever the table says. A name that is a word too has to be
    written as a name, and one of a product ("Apple Pay") is no company's.
    """
    taken = [(each.start, each.end) for each in mentions(text, companies)]
    found: list[Lacked] = []
    for start, end, known in sorted(_named(text), key=lambda each: (each[0], -each[1])):
        if any(start < to and at < end for at, to in taken):
            continue
        taken.append((start, end))
        if not _held(known, tuple(companies)):
            found.append(Lacked(start, end, known))
    return found


def missing_companies(text: str, companies: Sequence[Company]) -> tuple[list[str], bool]:
    """A sentence for each company that the question asks of and the library lacks.

    Beside them whether the question asks of no company that the library holds. Where it does, only
    what it compares with one of those counts: "Does NVIDIA compete with AMD?" is asked of NVIDIA.
    """
    held = mentions(text, companies)
    spans = [(each.start, each.end) for each in held]
    found = [each for each in lacked(text, companies) if not _is_dealt_with(text, each)]
    if held and not _COMPARES.search(text):
        found = [each for each in found if _joined(text, each, spans)]
    rows = {str(each.known): each.known.fetched_by for each in found}
    for ticker in unknown_tickers(text, companies):
        known = by_ticker().get(ticker)
        rows |= {str(known): known.fetched_by} if known else {ticker: ticker}
    return [no_filing_of(name, fetched_by) for name, fetched_by in rows.items()], not held


def no_filing_of(name: str, fetched_by: str) -> str:
    """One sentence: that the library lacks a company, with the command that fetches it."""
    if not fetched_by:
        return f"No filing of {name} is in the library; add its file, or fetch it by its CIK."
    command = f"python -m rag_app ingest --ticker {fetched_by}"
    return f"No filing of {name} is in the library; fetch it: `{command}`."


def unheard_of(
    text: str, companies: Sequence[Company], is_in_text: Callable[[str], bool]
) -> list[str]:
    """Names with a possessive that no company, and no passage of the library, has.

    None where the text names a company that is held: that is asked. ``is_in_text`` tells of a word
    whether a passage holds it: a product or a person is named there.
    """
    if mentions(text, companies):
        return []
    known = [(start, end) for start, end, _ in _named(text)]
    found = []
    for match in _OWNER.finditer(text):
        if any(match.start(1) < end and start < match.end(1) for start, end in known):
            continue
        words = match[1].split()
        while words and words[0] in OPENERS:
            del words[0]
        if words and not any(map(is_in_text, words)):
            found.append(" ".join(words))
    return list(dict.fromkeys(found))


def _is_dealt_with(text: str, named: Lacked) -> bool:
    before, after = text[: named.start], text[named.end :]
    if _OTHERS.search(before):
        return True
    if _POSSESSIVE.match(after):
        return False
    return bool(_DEALT_WITH.search(before) or _DEAL.match(after))


def _joined(text: str, named: Lacked, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether nothing but "and" or the like stands between it and a company that is held."""
    for span in spans:
        first, second = sorted([span, (named.start, named.end)])
        if _JOINING.fullmatch(text, first[1], second[0]):
            return True
    return False


def _named(text: str) -> list[tuple[int, int, Known]]:
    """Every place that names a company of the table, by name or by ticker."""
    table, titled = patterns(), _is_titled(text)
    found = []
    for pattern, owners in table:
        for match in pattern.finditer(text):
            known, is_word = owners[plain(match[0])]
            written = _as_name(text, match, titled) if is_word else True
            if written and (titled or not _is_product(text, match)):
                found.append((match.start(), match.end(), known))
    for match in TICKER.finditer(text):
        ticker = match[2]
        sure = len(ticker) >= 3 and ticker not in NO_TICKERS | TABLE_ABBREVIATIONS
        explains = text[: match.start()].endswith("(")  # "the voluntary turnover rate (VTR)"
        if sure and not (match[1] or explains or text.isupper()) and ticker in by_ticker():
            found.append((match.start(), match.end(), by_ticker()[ticker]))
    return found


def _as_name(text: str, match: re.Match[str], titled: bool) -> bool:
    """Whether a word is written as a name: "Target's", "Target Corp", "did Target report"."""
    if _POSSESSIVE.match(text, match.end()) or _LEGAL.match(text, match.end()):
        return not _ARTICLE.search(text, 0, match.start())
    before = text[: match.start()]
    if titled or _SENTENCE.search(before) or _ARTICLE.search(before):
        return False
    if _NUMBERED.match(text, match.end()):  # "Block 0", "Target 2030"
        return False
    capital = _CAPITAL_BEFORE.search(before)
    return not (capital and capital["capital"])


def _is_product(text: str, match: re.Match[str]) -> bool:
    if _LEGAL.match(text, match.end()) or _WHOLE_NAME.match(text, match.end()):
        return False
    return bool(_PRODUCT.match(text, match.end()))


def _is_titled(text: str) -> bool:
    """Whether every longer word has a capital, so that a capital tells nothing."""
    words = re.findall(r"[A-Za-z]{4,}", text)
    return len(words) > 2 and all(word[0].isupper() for word in words)


@functools.lru_cache(maxsize=4096)
def _held(known: Known, companies: tuple[Company, ...]) -> bool:
    cores = {core(name) for name in known.names}
    return any(
        filing.ticker in known.tickers or core(filing.company) in cores
        for company in companies
        for filing in company.filings
    )
