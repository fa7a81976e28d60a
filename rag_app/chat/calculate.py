"""Expressions that a model writes, ``{{(26974 - 26914) / 26914 %}}``, computed in code.

So are those that it gives to a tool (``tools.py``). A grammar of numbers, + - * / and
parentheses; nothing is evaluated but that. A ``%`` at the end asks for a percentage. Operands are
numbers as the passages print them, perhaps with a marker.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag_app.chat.operands import prints, why_not
from rag_app.records import Citation, Figure, Verdict

OPEN, CLOSE = "{{", "}}"
MAX_LENGTH = 300
MAX_DEPTH = 20
"""Parentheses and signs inside one another; a deeper expression is no arithmetic of a filing."""
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(?P<sign>[-+*/()]))"
)
_MARKERS = re.compile(r"\[\d+(?:\s*,\s*\d+)*\]")
_MONEY = re.compile(r"[$€£¥]")
_PERCENT_END = re.compile(r"%\s*$")
_DIVIDES = re.compile(r"[/÷]")
_PERCENT = re.compile(r"%|per ?cent", re.IGNORECASE)
PER_CENT = "100"
"""No figure of a filing where something is multiplied with it or divided by it."""
SETTLED: tuple[Verdict, ...] = ("in passage", "equals XBRL", "contradicted")
NOT_COMPUTED = "(a calculation that could not be done)"


@dataclass(frozen=True, slots=True)
class Calculation:
    """An expression as computed, the text that stands for it, and its operands as written.

    The result stands where the expression stood, or is ``copied``: the model was told it, and
    writes it where and how often it likes.
    """

    expression: str
    text: str
    operands: tuple[str, ...]
    copied: bool = False


def computed(pieces: Iterable[str], done: list[Calculation]) -> Iterator[str]:
    """The text as it streams, each expression replaced by its result; ``done`` collects them.

    What may begin an expression is held back until it is complete. An expression that cannot be
    computed is named as such, never guessed.
    """
    held = ""
    for piece in pieces:
        held += piece
        while OPEN in held:
            before, rest = held.split(OPEN, 1)
            if CLOSE not in rest and len(rest) <= MAX_LENGTH:
                break
            if before:
                yield before
            inner, closed, held = rest.partition(CLOSE)
            yield _replaced(inner, done) if closed else OPEN + inner
        if OPEN not in held:
            keep = len(held) - held.endswith("{")
            if held[:keep]:
                yield held[:keep]
            held = held[keep:]
    if held:
        yield held


def _replaced(inner: str, done: list[Calculation]) -> str:
    try:
        calculation = calculated(inner)
    except ValueError:
        return NOT_COMPUTED
    done.append(calculation)
    return calculation.text


def calculated(expression: str, *, copied: bool = False) -> Calculation:
    """An expression with its result as text: a percentage where it ends in a ``%``.

    Raises:
        ValueError: as ``evaluate``, or a percentage is asked for where nothing is divided.
    """
    value, operands = evaluate(expression)
    percent = bool(_PERCENT_END.search(expression))
    if percent and not _DIVIDES.search(expression):
        raise ValueError("a percentage is a share of something; leave the % out, or divide")
    shown = f"{100 * value:,.1f}%" if percent else _number(value)
    clean = " ".join(_MARKERS.sub("", _PERCENT_END.sub("", expression)).split())
    return Calculation(clean, shown, operands, copied)


def _number(value: float) -> str:
    """Two decimals, none of a large or whole number; of a small one three digits that tell."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    decimals = 2 if abs(value) >= 1 else 2 - math.floor(math.log10(abs(value)))
    return f"{value:,.{decimals}f}"


def evaluate(expression: str) -> tuple[float, tuple[str, ...]]:
    """The value of an expression, and its operands as written, without the 100 of a percentage.

    Raises:
        ValueError: it is no arithmetic, too long or too deep, or divides by zero.
    """
    plain = _MONEY.sub("", _MARKERS.sub(" ", _PERCENT_END.sub("", expression)))
    plain = plain.replace("−", "-").replace("–", "-").replace("×", "*").replace("÷", "/")
    if len(plain) > MAX_LENGTH:
        raise ValueError("the expression is too long")
    tokens = _tokens(plain)
    value, at = _sum(tokens, 0, 0)
    if at != len(tokens) or not math.isfinite(value):
        raise ValueError("the expression is no arithmetic")
    return value, tuple(
        token
        for at, token in enumerate(tokens)
        if token[-1].isdigit() and not _is_per_cent(tokens, at)
    )


def _is_per_cent(tokens: Sequence[str], at: int) -> bool:
    before, after = tokens[:at][-1:], tokens[at + 1 : at + 2]
    return tokens[at] == PER_CENT and (before in (["*"], ["/"]) or after == ["*"])


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError("the expression is no arithmetic")
        tokens.append(match["number"] or match["sign"])
        at = match.end()
    return tokens


def _sum(tokens: Sequence[str], at: int, depth: int) -> tuple[float, int]:
    return _chain(tokens, at, depth, "+-", _product)


def _product(tokens: Sequence[str], at: int, depth: int) -> tuple[float, int]:
    return _chain(tokens, at, depth, "*/", _factor)


def _chain(
    tokens: Sequence[str],
    at: int,
    depth: int,
    signs: str,
    part: Callable[[Sequence[str], int, int], tuple[float, int]],
) -> tuple[float, int]:
    """Operands joined by the signs, from left to right."""
    value, at = part(tokens, at, depth)
    while at < len(tokens) and tokens[at] in signs:
        sign = tokens[at]
        other, at = part(tokens, at + 1, depth)
        if sign == "/" and other == 0:
            raise ValueError("the expression divides by zero")
        value = {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "/": lambda a, b: a / b,
        }[sign](value, other)
    return value, at


def _factor(tokens: Sequence[str], at: int, depth: int) -> tuple[float, int]:
    if at >= len(tokens) or depth > MAX_DEPTH:
        raise ValueError("the expression is no arithmetic")
    token = tokens[at]
    if token in "+-":
        value, at = _factor(tokens, at + 1, depth + 1)
        return (-value if token == "-" else value), at
    if token == "(":
        value, at = _sum(tokens, at + 1, depth + 1)
        if at >= len(tokens) or tokens[at] != ")":
            raise ValueError("a parenthesis is not closed")
        return value, at + 1
    if not token[-1].isdigit():
        raise ValueError("the expression is no arithmetic")
    return float(token.replace(",", "")), at + 1


def with_calculations(
    figures: Sequence[Figure], done: Sequence[Calculation], citations: Sequence[Citation]
) -> tuple[Figure, ...]:
    """The figures, those that code computed with the calculation and a check of its operands.

    A result is derived where every operand stands in a cited passage, else not found. A figure
    that the filing itself prints is no copy of a result, and one that it contradicts is wrong
    whatever was computed: "grew 55.2%" beside a result of -55.2%.
    """
    waiting = [each for each in done if not each.copied]
    told = [each for each in done if each.copied]
    checked = []
    for figure in figures:
        match = next((c for c in waiting if _digits(c.text) == _digits(figure.text)), None)
        if match:
            waiting.remove(match)
        elif figure.verdict not in SETTLED:
            match = next((c for c in told if _copies(figure.text, c.text)), None)
        checked.append(_judged(figure, match, citations) if match else figure)
    return tuple(checked)


def _copies(figure: str, result: str) -> bool:
    """Whether a figure is a result as told; "fell 9.0%" says -9.0%."""
    percent = [bool(_PERCENT.search(text)) for text in (figure, result)]
    return percent[0] == percent[1] and _digits(figure) == _digits(result)


def _digits(text: str) -> str:
    return re.sub(r"[^\d.]", "", text)


def _judged(figure: Figure, done: Calculation, citations: Sequence[Citation]) -> Figure:
    said = f"{done.expression} = {done.text}"
    reason = why_not(done.operands, [each.text for each in citations], "cited passage")
    if reason:
        return Figure(figure.text, None, "not found", f"{said}; {reason}")
    first = next(iter(done.operands), None)
    holding = (each.marker for each in citations if first and prints(each.text, first))
    return Figure(figure.text, next(holding, None), "derived", said)
