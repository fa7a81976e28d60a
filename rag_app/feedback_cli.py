"""``feedback``: list what was marked in the chat, review it, export pairs, forget."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.feedback_pairs import FeedbackPair, accepted_pairs, feedback_pairs, write_pairs
from rag_app.chat.marks import KINDS, Mark
from rag_app.cli import OK, add_debug_flag
from rag_app.errors import FeedbackError
from rag_app.settings import load_settings

NOTES = """examples:
  python -m rag_app feedback list
  python -m rag_app feedback review
  python -m rag_app feedback review --accept 12.1 --reject 12.3
  python -m rag_app feedback export corrections.jsonl
  python -m rag_app feedback forget 12 15

A right-passage mark is a pair to train on at once, and so is a thumb up where the answer cites one
passage and nothing else was marked of it. Other thumbs up wait for a review of each cited passage.
Thumbs down and wrong figures are kept to be read; they are no pairs. An edited question takes the
place of the one that was asked. `python -m finetune --from-feedback` trains on the accepted pairs.
"""
SHOWN_CHARACTERS = 300


def add_feedback_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Add the command with its own commands."""
    parser = commands.add_parser(
        "feedback",
        help="list, review, export or forget what was marked in the chat",
        description="What was marked in the chat: thumbs, right passages, wrong figures, edited "
        "questions.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="every mark, the oldest first")
    listing.add_argument("--json", action="store_true", help="print one JSON list, with passages")
    listing.set_defaults(act=_list)

    review = actions.add_parser(
        "review",
        help="show the pairs that wait, accept or reject pairs",
        description="Without flags: the pairs that wait. A pair is named MARK.PASSAGE, such as "
        "12.3; MARK alone stands for all of a mark's pairs.",
    )
    review.add_argument("--accept", nargs="+", default=[], metavar="ID", help="train on these")
    review.add_argument(
        "--reject", nargs="+", default=[], metavar="ID", help="never train on these"
    )
    review.set_defaults(act=_review)

    export = actions.add_parser(
        "export", help="write the accepted pairs as JSONL, which `finetune --data` reads"
    )
    export.add_argument("out", type=Path, metavar="FILE.jsonl", help="the file to write")
    export.set_defaults(act=_export)

    forget = actions.add_parser("forget", help="delete marks for good")
    forget.add_argument("ids", nargs="*", type=int, metavar="ID", help="as `list` shows them")
    forget.add_argument("--all", action="store_true", help="delete everything")
    forget.set_defaults(act=_forget)

    for action in actions.choices.values():
        add_debug_flag(action)


def feedback(args: argparse.Namespace) -> int:
    """Run the action that was given.

    Raises:
        FeedbackError: the file cannot be used, or an id is not there.
    """
    store = FeedbackStore(load_settings().home)
    done: int = args.act(store, args)
    return done


def _list(store: FeedbackStore, args: argparse.Namespace) -> int:
    marks = store.marks()
    pairs = feedback_pairs(marks)
    if args.json:
        state_of = {pair.id: pair.state for pair in pairs}
        records = [_mark_json(mark, state_of) for mark in marks]
        print(json.dumps(records, indent=2, ensure_ascii=False))
        return OK
    for mark in marks:
        states = [pair.state for pair in pairs if pair.mark_id == mark.id]
        print(_mark_text(mark, states))
    counts = Counter(pair.state for pair in pairs)
    told = ", ".join(f"{counts[state]} {state}" for state in ("accepted", "waiting", "rejected"))
    print(f"{len(marks)} marks in {store.path}; pairs: {told}.")
    return OK


def _review(store: FeedbackStore, args: argparse.Namespace) -> int:
    pairs = feedback_pairs(store.marks())
    decisions = {
        key: accepted
        for names, accepted in ((args.accept, True), (args.reject, False))
        for name in names
        for key in _named(name, pairs)
    }
    if not decisions:
        waiting = [pair for pair in pairs if pair.state == "waiting"]
        for pair in waiting:
            print(_pair_text(pair))
        print(f"{len(waiting)} pairs wait; --accept or --reject them by the id before each.")
        return OK
    store.review(decisions)
    accepted = sum(decisions.values())
    print(f"{accepted} pairs accepted, {len(decisions) - accepted} rejected.")
    return OK


def _named(name: str, pairs: Sequence[FeedbackPair]) -> list[tuple[int, int]]:
    """Mark id and passage number of the pairs that a name stands for."""
    found = [
        (pair.mark_id, pair.passage.number)
        for pair in pairs
        if name in (pair.id, str(pair.mark_id))
    ]
    if not found:
        raise FeedbackError(
            f"There is no pair {name}; see `python -m rag_app feedback review`, or `feedback list` "
            "for those that are decided."
        )
    return found


def _export(store: FeedbackStore, args: argparse.Namespace) -> int:
    marks = store.marks()
    pairs = accepted_pairs(marks)
    if not pairs:
        raise FeedbackError(
            f"None of {len(marks)} marks is an accepted pair; mark right passages in the chat, or "
            "run `python -m rag_app feedback review`."
        )
    if args.out.suffix.lower() != ".jsonl":
        raise FeedbackError(f"{args.out} is written as JSON Lines; give a name ending in .jsonl.")
    write_pairs(pairs, args.out)
    print(f"{len(pairs)} pairs in {args.out}; train on them with `finetune --data {args.out}`.")
    return OK


def _forget(store: FeedbackStore, args: argparse.Namespace) -> int:
    if args.all == bool(args.ids):
        raise FeedbackError("Name the marks to forget by their ids, or give --all; one of the two.")
    if args.all:
        print(f"{store.forget_all()} marks forgotten.")
        return OK
    store.forget(args.ids)
    print(f"{len(set(args.ids))} marks forgotten.")
    return OK


def _mark_text(mark: Mark, states: Sequence[str]) -> str:
    asked = mark.asked
    said = KINDS[mark.kind] + (f": {mark.value}" if mark.value else "")
    lines = [
        f"{mark.id:>4}  {mark.marked_at[:16].replace('T', ' ')}  {said}"
        + (f" ({', '.join(states)})" if states else ""),
        f"      {asked.question}",
        f"      asked of {asked.filters}; {asked.model} at {asked.dim} dimensions, {asked.llm}",
    ]
    return "\n".join(lines)


def _pair_text(pair: FeedbackPair) -> str:
    shown = textwrap.shorten(pair.passage.text, SHOWN_CHARACTERS, placeholder=" …")
    return f"{pair.id}  {pair.question}\n      {pair.passage.filing}: {shown}"


def _mark_json(mark: Mark, state_of: Mapping[str, str]) -> dict[str, object]:
    record = asdict(mark)
    del record["reviews"]
    record["pairs"] = [
        {"id": id_, "state": state}
        for passage in mark.asked.passages
        if (state := state_of.get(id_ := f"{mark.id}.{passage.number}"))
    ]
    return record
