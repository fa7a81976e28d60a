"""Sentence patterns of the figure bench: how a level, a change, a share or a sum may be told.

``{L}`` and ``{l}`` are the label with and without a capital, ``{M}``/``{m}`` a second one; ``{F}``
a figure, ``{E}`` an earlier or second one; ``{in}`` the period with its preposition (``{In}`` with
a capital), ``{before}`` the earlier one, ``{p}``/``{q}`` both without preposition; ``{moved}``,
``{rise}``, ``{up}`` and ``{more}`` go the way that the figures went.
"""

from __future__ import annotations

LEVEL = (
    "{L} was {F} {in}.",
    "{In}, {l} was {F}.",
    "The company reported {l} of {F} {in}.",
    "{L} amounted to {F} {in}.",
    "{L} came to {F} {in}, according to the filing.",
    "{L} stood at {F} {in}.",
    "According to the filing, {l} totaled {F} {in}.",
    "The company recorded {F} of {l} {in}.",
    "The company's {l} {in} was {F}.",
    "The filing puts {l} {in} at {F}.",
    "As the table shows, {l} equaled {F} {in}.",
    "{L}: {F} ({p}).",
    "{In}, the company had {F} in {l}.",
    "For {l}, the filing lists {F} {in}.",
)
TWO_PERIODS = (
    "{L} was {F} {in}, compared with {E} {before}.",
    "{L} {moved} from {E} {before} to {F} {in}.",
    "{L} was {F} and {E} {in} and {before}, respectively.",
    "{In}, {l} was {F}, against {E} {before}.",
    "{L} {moved} to {F} {in} from {E} {before}.",
)
TWO_LABELS = (
    "{L} was {F} and {m} was {E} {in}.",
    "{In}, {l} reached {F}, while {m} came to {E}.",
    "The company reported {l} of {F} and {m} of {E} {in}.",
)
GROWTH = (
    "{L} {moved} {F} from {q} to {p}.",
    "{L} {moved} by {F} {in} compared with {q}.",
    "{L} was {up} {F} {in} from {q}.",
    "The company saw a {F} {rise} in {l} between {q} and {p}.",
    "Compared with {q}, {l} {moved} {F} {in}.",
)
DIFFERENCE = (
    "{L} {moved} by {F} from {q} to {p}.",
    "{L} was {F} {more} {in} than {before}.",
    "{L} showed {a} {rise} of {F} {in} compared with {q}.",
)
SHARE = (
    "{L} was {F} of {m} {in}.",
    "As a percentage of {m}, {l} was {F} {in}.",
    "{In}, {l} made up {F} of {m}.",
)
SUM = (
    "{L} and {m} together were {F} {in}.",
    "{In}, {l} and {m} combined came to {F}.",
)
PATTERNS = {
    "level": LEVEL,
    "two periods": TWO_PERIODS,
    "two labels": TWO_LABELS,
    "growth": GROWTH,
    "difference": DIFFERENCE,
    "share": SHARE,
    "sum": SUM,
}

RISEN = {"moved": ("rose", "increased", "grew"), "rise": ("increase", "rise"), "up": ("up",)}
FALLEN = {
    "moved": ("fell", "decreased", "declined"),
    "rise": ("decrease", "decline"),
    "up": ("down",),
}
MORE, LESS = ("higher",), ("lower",)
