"""Which test questions decide a promotion: those that neither model was trained on, if enough."""

from __future__ import annotations

from dataclasses import dataclass

from finetune.seen import SEEN_FILE, Record, Seen

MIN_UNSEEN = 100
"""With fewer questions an interval is some .13 wide and more (.05 at 700), and chance decides."""
ENOUGH_SHARE = 0.9
"""Of a small test, the share that must be left where ``MIN_UNSEEN`` are not."""
COMPANIES_NAMED = 10


@dataclass(frozen=True, slots=True)
class Ground:
    """The ids of the questions that decide, and a sentence where these are not simply all.

    ``barred``: they decide nothing, since the tuned model has an advantage on them.
    """

    queries: frozenset[str]
    note: str = ""
    barred: bool = False


def common_ground(
    queries: frozenset[str], record: Record | None, serving: Seen, *, now: str, name: str
) -> Ground:
    """Choose among the test questions of ``name``, whose record this is; ``now`` is what serves.

    Questions that the tuned model itself was trained on, as through its base, never count; where
    too few others are left it is barred. Of these others, those that the serving model has not seen
    decide. Where they are too few, all others do: that favours the serving model, so it may keep a
    better one out, but lets none in that is worse.
    """
    if record is None:
        return Ground(
            queries,
            f"There is no {SEEN_FILE} beside {name}, so it is not known which of these questions "
            f"{now} was trained on; train {name} again to know.",
        )
    whole = len(queries)
    own = queries - record.exam.known_to(record.seen)
    if not _enough(len(own), whole):
        return Ground(
            queries,
            f"{name}, or its base, was trained on {whole - len(own)} of its {whole} test questions "
            "or their companies, so its scores prove nothing; hold out what its base has not seen, "
            "or train another base",
            barred=True,
        )
    notes = []
    if not record.seen.known:
        notes.append(f"What the base of {name} was trained on is not recorded.")
    if len(own) < whole:
        notes.append(f"{whole - len(own)} questions that {name} was trained on are left out.")
    unseen = own - record.exam.known_to(serving)
    known = len(own) - len(unseen)
    if not serving.known:
        notes.append(
            f"What {now} was trained on is not recorded; questions that it has seen favour it."
        )
    elif not _enough(len(unseen), len(own)):
        notes.append(_favoured(record, serving, known, len(own), now, name))
    else:
        if known:
            notes.append(f"{known} questions that {now} was trained on are left out.")
        own = unseen
    return Ground(own, " ".join(notes))


def _enough(left: int, of: int) -> bool:
    return left >= min(MIN_UNSEEN, ENOUGH_SHARE * of)


def _favoured(record: Record, serving: Seen, seen: int, asked: int, now: str, name: str) -> str:
    """That the serving model was judged on its own training data, and how to spare it that."""
    known = record.seen.companies | set(record.exam.groups.values())
    fresh = sorted(known - serving.companies - {""}) if record.exam.by_company else []
    told = (
        f"{now} was trained on {seen} of these {asked} questions or their companies, which favours "
        f"it: {name} had the harder test"
    )
    if not fresh:
        return f"{told}."
    more = len(fresh) - COMPANIES_NAMED
    rest = f" and {more} more" if more > 0 else ""
    return (
        f"{told}. For an even one hold out companies that {now} has not seen: "
        f"{', '.join(fresh[:COMPANIES_NAMED])}{rest}."
    )
