"""Compare our inline-XBRL facts with Arelle's, a second reader, file by file.

    python3 -m venv /tmp/arelle && /tmp/arelle/bin/pip install arelle-release==2.47.3
    .venv/bin/python -m tests.trial.compare_facts --arelle /tmp/arelle/bin/python \
        --out eval/results/facts-second-reader.md FILE...

Arelle works offline, so without the taxonomies: it gives concept, context, unit and value of every
fact, but for the SEC's own formats (ixt-sec), which come with another product. Their values are
read by edgartools' transforms instead. A document that is no XML is repaired into a copy first.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_app.records import ParsedFiling

CAMEL = (
    *("ix:nonFraction", "ix:nonNumeric", "xbrli:startDate", "xbrli:endDate"),
    *("xbrli:unitNumerator", "xbrli:unitDenominator", "xbrldi:explicitMember"),
    *("xbrldi:typedMember", "link:schemaRef", "contextRef", "unitRef", "continuedAt"),
)


def arelle_facts(path: str) -> list[dict[str, Any]]:
    """Every fact of a document as Arelle reads it; runs in Arelle's interpreter."""
    from arelle import Cntlr

    controller = Cntlr.Cntlr(logFileName="logToBuffer")
    controller.webCache.workOffline = True
    model = controller.modelManager.load(path)
    return [_arelle_fact(fact) for fact in model.facts]


def _arelle_fact(fact: Any) -> dict[str, Any]:
    context, unit = fact.context, fact.unit
    period = [e for e in context.iter() if _local(e) in ("startDate", "endDate", "instant")]
    members = [e for e in context.iter() if _local(e) in ("explicitMember", "typedMember")]
    measures = [] if unit is None else unit.measures
    return {
        "id": fact.id or "",
        "concept": str(fact.qname),
        "entity": context.entityIdentifier[1],
        "period": "/".join(e.text.strip() for e in period),
        "dimensions": sorted((e.get("dimension"), "".join(e.itertext()).strip()) for e in members),
        "unit": "/".join("*".join(m.localName for m in part) for part in measures if part),
        "nil": fact.isNil,
        "numeric": fact.localName != "nonNumeric",
        "format": fact.get("format") or "",
        "decimals": fact.decimals or "",
        "sign": fact.get("sign") or "",
        "scale": int(fact.get("scale") or 0),
        "raw": "".join(fact.itertext()),
        "value": "" if fact.isNil else fact.value,
    }


def _local(element: Any) -> str:
    return str(getattr(element, "localName", ""))


def tied_numbers(parsed: ParsedFiling) -> tuple[int, int]:
    """Visible numeric facts, and those tied to a chunk that shows them at the place named."""
    from rag_app.filings.chunks import make_chunks, token_counter
    from rag_app.filings.shown import with_chunks

    def squeezed(text: str) -> str:
        return "".join(text.split()).replace("|", "")

    chunks = {node.node_id: node for node in make_chunks(parsed, token_counter())}
    facts = with_chunks(parsed.facts, parsed.sections, list(chunks.values()))
    seen = [fact for fact in facts if fact.numeric and not fact.hidden and not fact.nil]
    tied = 0
    for fact in seen:
        if fact.span and fact.chunk_id:
            chunk = chunks[fact.chunk_id]
            start = fact.span.start - chunk.metadata["start"]
            shown = chunk.text[start : start + fact.span.end - fact.span.start]
            tied += squeezed(shown) == squeezed(fact.printed or fact.value)
    return len(seen), tied


def our_facts(parsed: ParsedFiling) -> list[dict[str, Any]]:
    """Every fact of a document as this project reads it."""
    facts = []
    for fact in parsed.facts:
        days = [str(day) for day in (fact.period_start, fact.period_end) if day]
        facts.append(
            {
                "id": fact.id,
                "concept": fact.concept,
                "entity": fact.entity,
                "period": "/".join(days),
                "dimensions": sorted(map(list, fact.dimensions)),
                "unit": fact.unit,
                "nil": fact.nil,
                "decimals": fact.decimals,
                "value": fact.value,
            }
        )
    return facts


def comparable(fact: dict[str, Any]) -> tuple[Any, ...]:
    """What must be equal: numbers by value, texts without markup and white space."""
    value = fact["value"]
    try:
        value = str(Decimal(value).normalize())
    except InvalidOperation:
        text = re.sub(r"<[^>]*>", "", value) if fact.get("raw") is not None else value
        value = re.sub(r"[\s\u200b\ufeff]+", "", html.unescape(text))
    dimensions = tuple(tuple(pair) for pair in fact["dimensions"])
    place = (fact["concept"], fact["entity"], fact["period"], dimensions)
    return (fact["id"], *place, fact["unit"], fact["nil"], fact["decimals"], value)


def days(value: str) -> float | None:
    """The length of a duration in days, fractions in any part allowed; None for another value."""
    parts = re.fullmatch(r"P(?:([\d.]+)Y)?(?:([\d.]+)M)?(?:([\d.]+)D)?", value)
    if not parts or value == "P":
        return None
    years, months, rest = (float(part or 0) for part in parts.groups())
    return (years * 12 + months) * 30.4375 + rest


def same_length(mine: tuple[Any, ...], their: tuple[Any, ...]) -> bool:
    """Whether two facts differ only in how they write a duration: ``P5Y4M24D``, ``P5.4Y``."""
    left, right = days(mine[-1]), days(their[-1])
    return mine[:-1] == their[:-1] and None not in (left, right) and abs(left - right) < 1


def with_sec_value(fact: dict[str, Any]) -> dict[str, Any]:
    """An ixt-sec fact of Arelle with edgartools' value of the raw text."""
    from edgar.documents.strategies.ixbrl_transforms import apply_transform

    value = apply_transform(fact["format"], re.sub(r"\s+", " ", fact["raw"]).strip())
    if fact["numeric"]:
        number = Decimal(value).scaleb(fact["scale"])
        value = str(-number if fact["sign"] == "-" else number)
    return {**fact, "value": value}


def repaired(path: Path, folder: Path) -> Path:
    """The document if it is XML; else a copy closed and cased as inline XBRL has to be."""
    from lxml import etree

    try:
        etree.parse(str(path), etree.XMLParser(huge_tree=True))
        return path
    except etree.XMLSyntaxError:
        pass
    from lxml import html as lxml_html

    text = etree.tostring(lxml_html.parse(str(path)), method="xml", encoding="unicode")
    for name in CAMEL:
        text = re.sub(rf"(?<=[</\s]){name}(?=[\s>=/])", name, text, flags=re.I)
    copy = folder / f"{path.stem}.xhtml"
    copy.write_text(text, "utf-8")
    return copy


def compare(path: Path, arelle: Path, folder: Path) -> dict[str, Any]:
    """Counts for one file, and the facts on which the two readers differ."""
    from rag_app.filings.read import read_filing

    document = repaired(path, folder)
    target = folder / f"{document.stem}.htm"
    target.write_bytes(document.read_bytes())
    run = subprocess.run(
        [str(arelle), __file__, "--read", str(target)], capture_output=True, text=True, check=True
    )
    theirs = json.loads(run.stdout.splitlines()[-1])
    sec = [fact["format"].startswith("ixt-sec:") and not fact["nil"] for fact in theirs]
    theirs = [with_sec_value(f) if known else f for f, known in zip(theirs, sec, strict=True)]
    parsed = read_filing(path, max_bytes=10**8)
    ours = Counter(comparable(fact) for fact in our_facts(parsed))
    other = Counter(comparable(fact) for fact in theirs)
    left, right = ours - other, other - ours
    ids = {key[0] for key in left} & {key[0] for key in right}
    by_id = {key[0]: key for key in right}
    pairs = [(key, by_id[key[0]]) for key in left if key[0] in ids]
    apart = [pair for pair in pairs if not same_length(*pair)]
    seen, tied = tied_numbers(parsed)
    printed = {fact["id"]: fact["raw"].strip() for fact in theirs}
    return {
        "file": path.name,
        "repaired": document != path,
        "ours": ours.total(),
        "theirs": other.total(),
        "sec": sum(sec),
        "seen": seen,
        "tied": tied,
        "equal": (ours & other).total(),
        "notation": len(pairs) - len(apart),
        "different": len(apart),
        "only_ours": sum(key[0] not in ids for key in left),
        "only_theirs": sum(key[0] not in ids for key in right),
        "pairs": [(*pair, printed[pair[0][0]]) for pair in apart],
        "lone": [("ours", key) for key in left if key[0] not in ids]
        + [("Arelle", key) for key in right if key[0] not in ids],
    }


def markdown(results: list[dict[str, Any]]) -> str:
    """The comparison as a page: a row a file, then each difference."""
    columns = ("ours", "theirs", "equal", "notation", "different")
    columns += ("only_ours", "only_theirs", "sec", "seen", "tied")
    lines = [
        "# Inline-XBRL facts against a second reader",
        "",
        "A fact is equal if concept, entity, period, dimensions, unit, decimals, nil and value are",
        "(numbers by value; texts without markup and white space). Second reader: Arelle 2.47.3,",
        "offline; values in the SEC's own formats by edgartools' transforms. A visible number is",
        "tied if the chunk named, at the place named, reads as the fact is printed.",
        "",
        "```",
        "python3 -m venv /tmp/arelle && /tmp/arelle/bin/pip install arelle-release==2.47.3",
        ".venv/bin/python -m tests.trial.compare_facts --arelle /tmp/arelle/bin/python \\",
        "    --out eval/results/facts-second-reader.md \\",
        "    ../shared/data/filings/*.html data/sample/filings/*.html",
        "```",
        "",
        "| file | facts | Arelle | equal | equal but for a duration's notation | different "
        "| only ours | only Arelle | in SEC formats | visible numbers | tied to their chunk |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        name = result["file"] + (" (repaired copy for Arelle)" if result["repaired"] else "")
        lines.append(f"| {name} | " + " | ".join(str(result[c]) for c in columns) + " |")
    total = {c: sum(result[c] for result in results) for c in columns}
    lines.append("| **all** | " + " | ".join(f"**{total[c]}**" for c in columns) + " |")
    most = max(total["ours"], total["theirs"])
    both = total["equal"] + total["notation"]
    lines += [
        "",
        f"Equal: {both / most:.4%} of the facts; {total['equal'] / most:.4%} to the letter.",
        "A fraction of a year is months and days here (`P5Y4M24D`, as in XML Schema) and a decimal",
        "in edgartools (`P5.4Y`); such pairs count as equal where they are less than a day apart.",
        "",
        "## Differences",
        "",
    ]
    kinds: Counter[str] = Counter()
    for result in results:
        for mine, their, printed in result["pairs"]:
            parts = [f"{a!r:.90} / {b!r:.90}" for a, b in zip(mine, their, strict=True) if a != b]
            line = f"- {result['file']}: {mine[1]}, printed {printed!r:.60}: "
            kinds[line + f"ours / theirs {'; '.join(parts)}"] += 1
        for where, key in result["lone"]:
            kinds[f"- {result['file']}: only {where}: {key[1]} {key[3]} {key[-1]:.60}"] += 1
    lines += [f"{line} (×{count})" if count > 1 else line for line, count in kinds.items()]
    return "\n".join([*lines, "None." if not kinds else ""]).rstrip() + "\n"


def main() -> None:
    """Compare the files that hold facts, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    parser.add_argument("--arelle", type=Path, help="the python of Arelle's environment")
    parser.add_argument("--out", type=Path)
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    if args.read:
        print(json.dumps(arelle_facts(args.read)))
        return
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for path in args.files:
            if re.search(rb"<ix:non", path.read_bytes()):
                results.append(compare(path, args.arelle, Path(folder)))
                print(results[-1]["file"], results[-1]["ours"], results[-1]["equal"], flush=True)
    args.out.write_text(markdown(results), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
