"""How well a stored filing was read: its Items with their sizes, notes, and the share covered."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rag_app.errors import LibraryError
from rag_app.filings.doubts import SHORT_ITEM as SHORT_ITEM
from rag_app.filings.forms import form_items
from rag_app.library import Library


def filing_health(library: Library, key: str) -> dict[str, Any]:
    """The health of one filing as plain JSON values.

    ``covered`` and ``boilerplate`` are None for a filing stored before they were measured.

    Raises:
        LibraryError: no such filing is stored; the message lists those that are.
    """
    filings = library.filings()
    if key not in filings:
        known = ", ".join(filings) or "none yet"
        raise LibraryError(f"There is no filing {key} in the library; it holds {known}.")
    stored = filings[key]
    sections = library.sections(key, stored.version)
    chunks = Counter(
        str(node.metadata["item"]) for node in library.chunks(key, stored.version).values()
    )
    sizes: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for section in sections:
        sizes[section.item] += len(section.text)
        titles.setdefault(section.item, section.title)
    items = form_items(stored.filing.form)
    return {
        "filing": key,
        "items": [
            {
                "item": item.key,
                "title": titles.get(item.key, item.title),
                "state": _state(item.key, stored.health.items_found, sizes),
                "characters": sizes[item.key],
                "chunks": chunks[item.key],
            }
            for item in items
            if item.key in (*stored.health.items_found, *stored.health.items_missing)
        ],
        "outside_items": {"characters": sizes[""], "chunks": chunks[""]},
        "notes": list(stored.health.notes),
        "covered": stored.health.covered,
        "boilerplate": stored.health.boilerplate,
    }


def health_text(health: dict[str, Any]) -> str:
    """``filing_health`` as lines for people."""
    lines = [f"filing     {health['filing']}"]
    for item in health["items"]:
        lines.append(
            f"  {item['item']:6} {item['state']:8} {item['characters']:8,} characters "
            f"{item['chunks']:5} chunks  {item['title'][:60]}"
        )
    outside = health["outside_items"]
    lines.append(
        f"  {'-':6} {'outside':8} {outside['characters']:8,} characters "
        f"{outside['chunks']:5} chunks  cover, signatures, exhibits"
    )
    lines += [f"note       {note}" for note in health["notes"]]
    lines.append(f"covered    {_covered_text(health['covered'], health['boilerplate'])}")
    return "\n".join(lines)


def _covered_text(covered: float | None, boilerplate: float | None) -> str:
    if covered is None or boilerplate is None:
        return "not measured; ingest the file again"
    return (
        f"{covered:.2%} of the visible text is in a section or boilerplate "
        f"({boilerplate:.2%} page headers, page numbers, contents)"
    )


def _state(item: str, found: tuple[str, ...], sizes: Counter[str]) -> str:
    if item not in found:
        return "missing"
    # An Item that shares its heading with another ("Items 1 and 2") has no text of its own.
    if item not in sizes:
        return "shared"
    return "short" if sizes[item] < SHORT_ITEM else "found"
