"""A follow-up ("and in 2022?") to a question that stands alone: by rules, or by the LLM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llama_index.core.llms import ChatMessage, MessageRole

from rag_app.chat.prompts import HISTORY_TURNS, Turn
from rag_app.chat.text import content_words
from rag_app.companies import Company
from rag_app.errors import LLMError
from rag_app.index.lacking import lacked
from rag_app.index.names import looks_like_ticker, mentions
from rag_app.index.periods import year_mentions

if TYPE_CHECKING:
    from rag_app.chat.llm import ChatLLM

# What a question leans on when it means the one before: an opening, or a word that points back.
_OPENING = re.compile(r"(and|but|or|what about|how about|why|so|also)\b", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"\b(it|its|they|them|their|theirs|that|those|these|this|there|same|previous|prior)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=\s)[A-Z]")
SHORT_QUESTION_WORDS = 4

_ADDS = re.compile(
    r"\b(compar\w+|versus|vs|than|against|both|too|as well|together)\b", re.IGNORECASE
)
_FILLER = {
    *("and", "but", "or", "so", "also", "then", "what", "how", "about", "for", "in", "of", "at"),
    *("the", "year", "years", "fiscal", "same", "it", "was", "is", "did", "s", "to", "again"),
    *("much", "many", "were", "are", "does", "do", "that", "be"),
}
_YEAR_BEFORE = re.compile(
    r"\b(?:previous|prior|preceding|last) year\b|\byear (?:before|earlier)\b", re.I
)
_YEAR_AFTER = re.compile(r"\b(?:next|following) year\b|\byear (?:after|later)\b", re.I)
_FISCAL = re.compile(r"(?:fiscal(?:\s+years?)?|fy)\s*", re.IGNORECASE)
_DATED_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_QUESTIONS = re.compile(r"(?<=[?!])\s+")
_RANGE_OPENING = re.compile(r"(?:from|between)\b", re.IGNORECASE)
MAX_JOINING_WORDS = 3
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")

REWRITE = (
    "Rewrite the user's last question so that it can be understood without the conversation: put "
    "in the company, the year and the subject that it leans on. Keep its own names and years. "
    "Do not answer it. Reply with the rewritten question alone."
)
MAX_REWRITTEN_CHARACTERS = 300
MIN_SHARED = 0.6
"""Of a rewritten question's words, those that the conversation has to hold."""


def stand_alone(
    question: str,
    history: Sequence[Turn],
    companies: Sequence[Company] = (),
    llm: ChatLLM | None = None,
) -> str:
    """The question to search for: a follow-up with what it leans on, any other as it is.

    The LLM's words are taken where they keep to the conversation; otherwise, and where it fails,
    the rules'.
    """
    if not history or not leans(question, companies):
        return question
    ruled = carried_over(question, history[-1].question, companies)
    if llm is None:
        return ruled
    try:
        said = "".join(llm.stream(rewrite_messages(question, history)))
    except LLMError:  # the answer will meet it too, and say so
        return ruled
    rewritten = said.strip().strip('"').strip()
    return rewritten if keeps_to(rewritten, question, history, companies) else ruled


def leans(question: str, companies: Sequence[Company] = ()) -> bool:
    """Whether a question means the one before.

    One of up to four words, unless it names a company and a subject ("NVIDIA revenue 2024"), or
    one with an opening or a word that points back; behind a name such a word points to the name
    ("Which risks does Apple see in its supply?").
    """
    if _OPENING.match(question):
        return True
    if len(question.split()) <= SHORT_QUESTION_WORDS:
        return not (_named(question, companies) and _says_more(question, companies))
    pointer = _POINTS_BACK.search(question)
    return bool(pointer and not _NAME.search(question, 0, pointer.start()))


def carried_over(question: str, before: str, companies: Sequence[Company]) -> str:
    """The question before with the company and years of the follow-up in the place of its own.

    What else the follow-up says is put behind it; one that compares replaces nothing.
    """
    before = _with_subject(before, companies)
    if _ADDS.search(question):
        return f"{before} {question}"
    if more := _says_more(question, companies):
        before = _last_subject(before, companies)
    carried = _with_companies(before, _companies_in(question, companies), companies)
    carried = _with_years(carried, _years_in(question, before))
    if more:
        return f"{carried} {question}"
    return carried if carried != before else f"{before} {question}"


def _with_subject(before: str, companies: Sequence[Company]) -> str:
    """What was searched before, without the questions of it that name a company or a year alone."""
    told = [each for each in _QUESTIONS.split(before) if _says_more(each, companies)]
    return " ".join(dict.fromkeys(told)) or before


def _last_subject(before: str, companies: Sequence[Company]) -> str:
    """The last question that names a company, of several that were put one behind another: what a
    third follow-up adds is asked of that one, and the text does not grow.
    """
    told = [each for each in _QUESTIONS.split(before) if _named(each, companies)]
    return told[-1] if told else before


def _named(text: str, companies: Sequence[Company]) -> list[tuple[int, int]]:
    """Where a text names companies: those that are held, and known ones that are not."""
    spans = [(each.start, each.end) for each in mentions(text, companies)]
    return sorted([*spans, *((each.start, each.end) for each in lacked(text, companies))])


def _companies_in(question: str, companies: Sequence[Company]) -> str:
    """The companies that a follow-up names; a ticker that is not held is one too."""
    named = [question[start:end] for start, end in _named(question, companies)]
    words = [word.lstrip("$") for word in re.findall(r"\$?[A-Za-z]+", question)]
    named += [f"${word}" for word in words if looks_like_ticker(word) and word not in named]
    return " and ".join(dict.fromkeys(named))


def _years_in(question: str, before: str) -> str:
    named = " and ".join(question[each.start : each.end] for each in year_mentions(question))
    years = [year for mention in year_mentions(before) for year in mention.years]
    if named or not years:
        return named
    if _YEAR_BEFORE.search(question):
        return str(min(years) - 1)
    return str(max(years) + 1) if _YEAR_AFTER.search(question) else ""


def _with_companies(before: str, names: str, companies: Sequence[Company]) -> str:
    if not names:
        return before
    spans = _named(before, companies)
    return _replaced(before, spans, names) if spans else _appended(before, f"for {names}")


def _with_years(before: str, years: str) -> str:
    if not years:
        return before
    said = year_mentions(before)
    if not said:
        dated, count = _DATED_YEAR.subn(years, before)
        return dated if count else _appended(before, f"in {years}")
    first = before[said[0].start : said[0].end]
    fiscal = _FISCAL.match(first)
    if fiscal and not _FISCAL.match(years):
        years = f"{fiscal[0]}{years}"
    return _replaced(before, [(each.start, each.end) for each in said], years)


def _replaced(text: str, spans: Sequence[tuple[int, int]], new: str) -> str:
    """Each span replaced; spans with few words between are one: "2022 compared to 2023"."""
    stretches = [spans[0]]
    for start, end in spans[1:]:
        first, last = stretches[-1]
        if len(text[last:start].split()) <= MAX_JOINING_WORDS:
            stretches[-1] = (first, end)
        else:
            stretches.append((start, end))
    for start, end in reversed(stretches):
        opening = "in " if _RANGE_OPENING.match(text, start) else ""
        text = f"{text[:start]}{opening}{new}{text[end:]}"
    return text


def _appended(question: str, words: str) -> str:
    stem = question.rstrip()
    mark = stem[-1] if stem[-1:] in ("?", ".", "!") else ""
    return f"{stem.removesuffix(mark)} {words}{mark}"


def _says_more(question: str, companies: Sequence[Company]) -> bool:
    """Whether a follow-up says anything besides companies, years and words that join them."""
    named = _named(question, companies)
    named += [(each.start, each.end) for each in year_mentions(question)]
    rest = question
    for start, end in sorted(named, reverse=True):
        rest = f"{rest[:start]} {rest[end:]}"
    rest = _YEAR_AFTER.sub(" ", _YEAR_BEFORE.sub(" ", rest))
    words = re.findall(r"[^\W_]+", rest)
    return any(word.lower() not in _FILLER and not looks_like_ticker(word) for word in words)


def rewrite_messages(question: str, history: Sequence[Turn]) -> list[ChatMessage]:
    """What the LLM is asked, to make a follow-up stand alone."""
    asked = "\n".join(f"- {turn.question}" for turn in history[-HISTORY_TURNS:])
    return [
        ChatMessage(role=MessageRole.SYSTEM, content=REWRITE),
        ChatMessage(
            role=MessageRole.USER,
            content=f"Questions before, oldest first:\n{asked}\n\nLast question: {question}",
        ),
    ]


def keeps_to(
    rewritten: str, question: str, history: Sequence[Turn], companies: Sequence[Company]
) -> bool:
    """Whether a rewritten question says nothing that the conversation does not.

    It has every number and company of the follow-up, none from elsewhere, and mostly known words:
    a model that answers instead brings in figures.
    """
    if not rewritten or "\n" in rewritten or len(rewritten) > MAX_REWRITTEN_CHARACTERS:
        return False
    conversation = " ".join([*(turn.question for turn in history[-HISTORY_TURNS:]), question])
    own, known = _marks_of([question], companies), _marks_of([conversation], companies)
    said = _marks_of([rewritten], companies)
    words = content_words(rewritten)
    shared = len(words & content_words(conversation))
    return own <= said <= known and shared >= MIN_SHARED * max(1, len(words))


def _marks_of(texts: Iterable[str], companies: Sequence[Company]) -> set[str]:
    """The numbers and companies of some texts."""
    marks: set[str] = set()
    for text in texts:
        marks.update(_NUMBER.findall(text))
        marks.update(mention.company.label for mention in mentions(text, companies))
    return marks
