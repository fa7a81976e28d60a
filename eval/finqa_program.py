"""A FinQA program and its table to the number that it computes."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

from rag_app.errors import DataError

Table = Sequence[Sequence[str]]

DIGITS = 5
"""FinQA rounds an executed answer to so many places."""

ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "exp": operator.pow,
}
OVER_ROW: dict[str, Callable[[list[float]], float]] = {
    "table_sum": sum,
    "table_average": lambda values: sum(values) / len(values),
    "table_max": max,
    "table_min": min,
}
GREATER = "greater"
_OPERATIONS = (*ARITHMETIC, *OVER_ROW, GREATER)
_STEP_BORDER = re.compile(rf"\)\s*,\s*(?=(?:{'|'.join(_OPERATIONS)})\()")


def run_program(program: str, table: Table) -> float | str:
    """What ``subtract(5829, 5735), divide(#0, 5735)`` gives; ``yes`` or ``no`` of ``greater``.

    ``#0`` is the result of the first step, ``const_100`` is 100, ``const_m1`` is -1, ``5%`` is .05,
    and ``table_max(net sales, none)`` reads the numbers of the row named so.
    Source: ``eval_program`` of the FinQA release (Chen et al. 2021, MIT).

    Raises:
        DataError: the program cannot be read or computed; the message shows it.
    """
    results: list[float] = []
    try:
        for step in _STEP_BORDER.split(program.strip().removesuffix(")")):
            operation, _, arguments = step.partition("(")
            left, _, right = arguments.rpartition(",")
            if operation in OVER_ROW:
                results.append(OVER_ROW[operation](_row(left.strip(), table)))
                continue
            values = _operand(left, results), _operand(right, results)
            if operation == GREATER:
                return "yes" if values[0] > values[1] else "no"
            results.append(float(ARITHMETIC[operation](*values)))
        return round(results[-1], DIGITS)
    except (KeyError, IndexError, ValueError, TypeError, ArithmeticError):
        raise DataError(
            f"The FinQA program {program!r} cannot be computed; mend it, or leave its row out."
        ) from None


def _operand(text: str, results: Sequence[float]) -> float:
    text = text.strip()
    if text.startswith("#"):
        return results[int(text[1:])]
    if text.startswith("const_"):
        return float(text.removeprefix("const_").replace("m", "-"))
    return _number(text)


def _number(text: str) -> float:
    text = text.replace(",", "").strip()
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def _row(name: str, table: Table) -> list[float]:
    """The numbers of the first row of that name; ``$ -35 ( 35 )`` is how FinQA writes minus 35."""
    cells = {row[0]: row[1:] for row in reversed(table) if row}[name]
    return [_number(cell.replace("$", "").split("(")[0]) for cell in cells]
