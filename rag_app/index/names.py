"""Company names and tickers in a question: which company of the library each one means."""

from __future__ import annotations

import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag_app.companies import Company
from rag_app.index.wording import ENGLISH, LEGAL, NO_CASHTAGS, NO_TICKERS, OTHER_NAMES, SHARED

_TOKEN = re.compile(r"[^\W_]+")
_WITHIN = re.compile(r"[\s.&'’-]{0,3}")
TICKER = re.compile(r"(?<![\w$.-])(\$?)([A-Za-z]{1,5}(?:[.-][A-Z])?)(?![\w-])")
_ASIDE = re.compile(r"(?:stock|ticker|symbol|shares of)\W+$", re.IGNORECASE)
_BESIDE = re.compile(r"\W{1,2}(?:stock|ticker|shares)\b", re.IGNORECASE)
_JOINED = re.compile(r"\s*(?:,|\band\b|\bor\b|\bvs\b\.?|\bversus\b|\bwith\b|\bto\b|&)\s*")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text, from ``start`` to ``end``, names a company."""

    start: int
    end: int
    company: Company


def mentions(text: str, companies: Sequence[Company]) -> list[Mention]:
    """Where the text names companies of the library, in its order; a longer name goes first."""
    found: list[Mention] = []
    for mention in sorted(
        [*_by_name(text, companies), *_by_ticker(text, companies)],
        key=lambda each: (each.start, each.start - each.end),
    ):
        if not found or mention.start >= found[-1].end:
            found.append(mention)
    return found


def unknown_tickers(text: str, companies: Sequence[Company]) -> list[str]:
    """Tickers of the text that no company of the library has.

    Only what is certain to be one: ``$AMD``, or capitals that are joined to a ticker that is held
    ("NVDA and AMD").
    """
    known = {company.ticker for company in companies}
    named = mentions(text, companies)
    found = []
    for match in TICKER.finditer(text):
        ticker = match[2].upper()
        if ticker in known or any(_overlap(match, mention) for mention in named):
            continue
        cashtag = match[1] and ticker not in NO_CASHTAGS
        if cashtag or (looks_like_ticker(match[2]) and _joined_to_ticker(text, match, named)):
            found.append(ticker)
    return list(dict.fromkeys(found))


def looks_like_ticker(word: str) -> bool:
    """Whether a word alone can hardly be but a ticker: ``AMD``."""
    return word.isupper() and 1 < len(word) <= 5 and word not in NO_TICKERS


def _overlap(match: re.Match[str], mention: Mention) -> bool:
    return mention.start < match.end() and match.start() < mention.end


def _joined_to_ticker(text: str, match: re.Match[str], named: Sequence[Mention]) -> bool:
    for mention in named:
        if text[mention.start : mention.end].lstrip("$") != mention.company.ticker:
            continue
        first, second = sorted([(mention.start, mention.end), match.span()])
        if _JOINED.fullmatch(text, first[1], second[0]):
            return True
    return False


def _by_ticker(text: str, companies: Sequence[Company]) -> Iterator[Mention]:
    by_ticker = {filing.ticker: c for c in companies for filing in c.filings if filing.ticker}
    shouted = text.isupper()
    for match in TICKER.finditer(text):
        company = by_ticker.get(match[2].upper() if match[1] else match[2])
        if company is None:
            continue
        said = _ASIDE.search(text, 0, match.start()) or _BESIDE.match(text, match.end())
        if match[1] or said or not (shouted or match[2] in NO_TICKERS or len(match[2]) == 1):
            yield Mention(match.start(), match.end(), company)


def _by_name(text: str, companies: Sequence[Company]) -> Iterator[Mention]:
    names = _names(tuple(companies))
    tokens = list(_TOKEN.finditer(text))
    words = [token[0].casefold() for token in tokens]
    for at, word in enumerate(words):
        for name, company in names.get(word, ()):
            if tuple(words[at : at + len(name)]) != name:
                continue
            said = tokens[at : at + len(name)]
            gaps = itertools.pairwise(said)
            if all(_WITHIN.fullmatch(text, a.end(), b.start()) for a, b in gaps) and _capital(said):
                yield Mention(said[0].start(), said[-1].end(), company)
                break


def _capital(said: Sequence[re.Match[str]]) -> bool:
    """Whether words are written as a name; in small letters when they can be nothing else."""
    if len(said) == 1:
        word = said[0][0]
        if len(word) <= 3:
            return word.isupper()
        if word.casefold() not in ENGLISH:
            return True
    else:
        if all(token[0].islower() for token in said):
            return not all(token[0] in SHARED | ENGLISH for token in said)
    return all(token[0] == "and" or not token[0][0].islower() for token in said)


@functools.lru_cache(maxsize=8)
def _names(companies: tuple[Company, ...]) -> dict[str, list[tuple[tuple[str, ...], Company]]]:
    """First word of each name → the names that begin with it, the longest first."""
    owners: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, company in enumerate(companies):
        for printed in {filing.company for filing in company.filings}:
            for name in _said(printed):
                owners[name].add(number)
    found: defaultdict[str, list[tuple[tuple[str, ...], Company]]] = defaultdict(list)
    for name in sorted(owners, key=lambda each: (-len(each), each)):
        if len(owners[name]) == 1:  # a name of two companies tells neither
            found[name[0]].append((name, companies[min(owners[name])]))
    return dict(found)


def _said(printed: str) -> set[tuple[str, ...]]:
    """What people say for a name on a cover: without its legal form, or its first word alone."""
    words = core(printed)
    if not words:
        return set()
    names = {words}
    if "&" in printed:
        head, tail = core(printed.split("&")[0]), core(printed.split("&", 1)[1])
        names.add((*head, "and", *tail))
    if len(words[0]) >= 4 and words[0] not in SHARED:
        names.add(words[:1])
    if len(words) == 1 and words[0] in SHARED:
        names.discard(words)
    for known, others in OTHER_NAMES.items():
        if core(known) == words:
            names |= {core(other) for other in others}
    return names


def core(name: str) -> tuple[str, ...]:
    """The words of a name without its legal form."""
    words = [token[0].casefold() for token in _TOKEN.finditer(name)]
    kept = [word for word in words if word not in LEGAL]
    return tuple(kept or words)
