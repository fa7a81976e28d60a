"""The figures that an expression computes with: each has to stand in a passage, in one scale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag_app.chat.figures import numbers_in, scales_of, shows


def prints(passage: str, operand: str) -> bool:
    """Whether a passage shows an operand."""
    digits = re.escape(operand.replace(",", ""))
    if re.search(rf"(?<![\d.]){digits}(?![\d]|\.\d)", passage.replace(",", "")):
        return True
    written = numbers_in(f"${operand}")  # the sign keeps it from being taken for a year or a day
    return bool(written) and shows(passage, replace(written[0], unit=""))


def why_not(operands: Sequence[str], passages: Sequence[str], they_are: str) -> str:
    """Why passages ("cited passage", say) do not bear a calculation; empty where they do.

    Millions over billions give a number that means nothing. An operand that some passage prints
    without a scale may be of any.
    """
    of_scale: dict[str, set[float]] = {}
    for operand in operands:
        if not any(prints(passage, operand) for passage in passages):
            return f"no {they_are} shows {operand}"
        value = float(operand.replace(",", ""))
        scales = set().union(*(scales_of(passage, value) for passage in passages))
        if scales and 1.0 not in scales:
            of_scale[operand] = scales
    if of_scale and not set.intersection(*of_scale.values()):
        return f"{' and '.join(of_scale)} are not in one scale"
    return ""
