"""Gives each table the lines above it that introduce it or name its units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from rag_app.filings.style import is_units
from rag_app.records import Block

MAX_LINES = 3
MAX_INTRODUCTION = 400

_INTRODUCES = re.compile(
    r":$|\b(?:following tables?|tables? below|as follows|(?:set forth|shown|summarized) below)\b",
    re.I,
)
_AUDITED = re.compile(r"\(?(?:un)?audited\)?", re.I)


def with_captions(blocks: Iterable[Block]) -> list[Block]:
    """The same blocks, each table with a ``caption`` where up to three lines above it are one.

    The lines stay blocks of their own, so that a section's text has them once.
    """
    captioned: list[Block] = []
    for block in blocks:
        if block.kind == "table":
            lines: list[str] = []
            for before in reversed(captioned[-MAX_LINES:]):
                if not _introduces(before):
                    break
                lines.insert(0, before.text)
            block = replace(block, caption=" ".join(lines))
        captioned.append(block)
    return captioned


def _introduces(block: Block) -> bool:
    if block.kind != "paragraph":
        return False
    text = block.text
    leads = len(text) <= MAX_INTRODUCTION and bool(_INTRODUCES.search(text))
    return is_units(text) or bool(_AUDITED.fullmatch(text)) or leads
