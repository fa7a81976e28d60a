"""Checks questions.jsonl: each gold must stand in one block of its filing and in no other one."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

from lxml import html

HERE = Path(__file__).resolve().parent
ITEM = re.compile(r"^Item (\d+[A-C]?)\.")
FIELDS = ["id", "question", "ticker", "form", "fiscal_year", "filing", "item", "gold", "answer"]


def normal(text: str) -> str:
    """Lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def blocks(path: Path) -> list[tuple[str, str]]:
    """(item, normalised text) of every paragraph and table row, in order."""
    root = html.parse(str(path)).getroot()
    out = []
    item = ""
    for element in root.iter("div", "tr"):
        hidden = any(
            "display:none" in (e.get("style") or "") for e in (element, *element.iterancestors())
        )
        if hidden or (element.tag == "div" and element.xpath(".//table|.//div")):
            continue
        text = " ".join(" ".join(element.itertext()).split())
        found = ITEM.match(text) if element.tag == "div" else None
        item = found[1] if found else item
        if text:
            out.append((item, normal(text)))
    return out


def problems(row: dict, filings: dict[str, list[tuple[str, str]]]) -> list[str]:
    """What is wrong with one question."""
    gold = normal(row["gold"])
    items = [item for item, text in filings[row["filing"]] if gold in text]
    others = [
        name
        for name, found in filings.items()
        if name != row["filing"] and any(gold in text for _, text in found)
    ]
    out = [] if list(row) == FIELDS else ["fields"]
    if len(items) != 1:
        out.append(f"stands in {len(items)} blocks")
    if items and items[0] != row["item"]:
        out.append(f"lies in Item {items[0]}")
    if others:
        out.append(f"also in {', '.join(others)}")
    if len(row["gold"].split()) > 60:
        out.append("gold is longer than 60 words")
    if row["filing"] != f"{row['ticker']}_{row['form']}_FY{row['fiscal_year']}.html":
        out.append("file name")
    return out


def main() -> int:
    """Prints every fault; 0 when there is none."""
    lines = (HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    filings = {path.name: blocks(path) for path in sorted((HERE / "filings").glob("*.html"))}
    faults = [f"{row['id']}: {fault}" for row in rows for fault in problems(row, filings)]
    counts = Counter(row["filing"] for row in rows)
    if sorted(counts) != sorted(filings) or set(counts.values()) != {10}:
        faults.append(f"not ten questions for each filing: {dict(counts)}")
    if len({row["id"] for row in rows}) != len(rows):
        faults.append("an id is used twice")
    print("\n".join(faults) or f"{len(rows)} questions, all golds found where they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
