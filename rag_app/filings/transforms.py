"""Printed text of an inline-XBRL fact → its value, by transformation format (ixt 1 to 5, ixt-sec).

Formats: the Transformation Rules Registries of XBRL International, whose later versions only put
hyphens into the names, and ``inlineXBRL/transformation/2015-08-31`` of the SEC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from rag_app.errors import FilingError
from rag_app.filings.codes import EXCHANGES, STATES

Transform = Callable[[str], str]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_LARGE = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {word: at for at, word in enumerate(_SMALL.split())} | {
    word: 10 * at for at, word in enumerate(_LARGE.split(), 2)
}
_POWERS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NOTHING = {"no", "none", "nil", "zero"}
_GAPS = re.compile(r"[\s\u00a0'’]+")
_HYPHENS = re.compile(r"[\u2010-\u2015\u2212-]")
_DAYS_PER_MONTH = Decimal("30.4375")

_QUARTER_ENDS = {
    **dict.fromkeys(("1", "first"), "03-31"),
    **dict.fromkeys(("2", "second"), "06-30"),
    **dict.fromkeys(("3", "third"), "09-30"),
    **dict.fromkeys(("4", "fourth", "last"), "12-31"),
}


def transform(format_name: str, printed: str) -> str:
    """The value that ``printed`` has under a format such as ``ixt:num-dot-decimal``.

    Without a format the text stands for itself.

    Raises:
        FilingError: the format is not known, or the text is not of it.
    """
    if not format_name:
        return printed
    name = format_name.rpartition(":")[2].replace("-", "").lower()
    if name not in TRANSFORMS:
        known = ", ".join(TRANSFORMS)
        raise FilingError(f"The format {format_name} is not known; known formats: {known}.")
    try:
        return TRANSFORMS[name](printed.replace("\u00a0", " ").strip())
    except (ValueError, KeyError, IndexError, InvalidOperation):
        raise FilingError(f"{printed[:60]!r} is not of the format {format_name}.") from None


def _dot_decimal(text: str) -> str:
    return _GAPS.sub("", text).replace(",", "")


def _comma_decimal(text: str) -> str:
    return _GAPS.sub("", text).replace(".", "").replace(",", ".")


def _unit_decimal(text: str) -> str:
    """``2 dollars 05 cents``: whole units, then hundredths."""
    whole, *part = re.findall(r"\d[\d,. ]*", text)
    cents = part[0].strip() if part else "0"
    return f"{re.sub(r'[,. ]', '', whole)}.{int(cents):02d}"


def _number_words(text: str) -> str:
    words = re.findall(r"[a-z]+|\d+", text.lower())
    if words and set(words) <= _NOTHING:
        return "0"
    total = group = 0
    for word in words:
        if word in _POWERS:
            total, group = total + group * _POWERS[word], 0
        elif word == "hundred":
            group *= 100
        elif word.isdigit():
            group += int(word)
        elif word not in ("and", "a"):
            group += _NUMBERS[word]
    if not words:
        raise ValueError(text)
    return str(total + group)


def _constant(value: str) -> Transform:
    return lambda text: value


def _date(order: str) -> Transform:
    """ISO 8601, missing parts left out as XML Schema writes them; ``order`` is of d, m and y."""

    def read(text: str) -> str:
        parts = re.findall(r"\d+|[A-Za-z]{3,}", text)
        named = [part for part in parts if part.isdigit() or part[:3].lower() in _MONTHS]
        if len(named) < len(order):
            raise ValueError(text)
        found = dict(zip(order, named, strict=False))
        year = found.get("y", "")
        year = f"20{year.zfill(2)}" if 0 < len(year) < 3 else year
        month = found["m"]
        number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
        day = int(found.get("d", 1))
        if not (1 <= number <= 12 and 1 <= day <= 31):
            raise ValueError(text)
        return f"{year or '-'}-{number:02d}" + (f"-{day:02d}" if "d" in order else "")

    return read


def _duration(unit: str) -> Transform:
    """An XML Schema duration; a fraction of a year runs on in months, and so down to hours."""

    def read(text: str) -> str:
        number = _dot_decimal(text)
        if not re.fullmatch(r"-?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})", number):
            raise ValueError(text)
        left = Decimal(number) * (7 if unit == "W" else 1)
        sign, left = ("-" if left < 0 else ""), abs(left)
        parts = ""
        for name, per in _STEPS[unit]:
            whole = int(left)
            parts += f"{name[:-1]}{whole}{name[-1]}" if whole else ""
            left = (left - whole) * per
        name = _STEPS[unit][0][0]
        return f"{sign}P{parts}" if parts else f"P{name[:-1]}0{name[-1]}"

    return read


_STEPS = {
    "Y": (("Y", Decimal(12)), ("M", _DAYS_PER_MONTH), ("D", Decimal(0))),
    "M": (("M", _DAYS_PER_MONTH), ("D", Decimal(0))),
    "W": (("D", Decimal(0)),),
    "D": (("D", Decimal(24)), ("TH", Decimal(0))),
    "H": (("TH", Decimal(0)),),
}


def _duration_words(text: str) -> str:
    """``three-year`` → ``P3Y``; ``one year and six months`` → ``P1Y6M``; weeks as days."""
    text = _HYPHENS.sub(" ", text.lower())
    found = re.findall(r"([a-z\d ]+?)\s*\b(year|month|week|day)s?\b", text)
    if not found:
        raise ValueError(text)
    written = "P"
    for count, unit in found:
        number = int(_number_words(count))
        written += f"{number * 7}D" if unit == "week" else f"{number}{unit[0].upper()}"
    return written


def _quarter_end(text: str) -> str:
    """The last day of a calendar quarter: ``second quarter of 2023``, ``2023 Q2``."""
    year = re.search(r"(?<!\d)\d{4}(?!\d)", text)
    if not year:
        raise ValueError(text)
    rest = text.replace(year[0], " ").lower()
    (quarter,) = re.findall(r"[1-4](?!\d)|first|second|third|fourth|last", rest)
    return f"{year[0]}-{_QUARTER_ENDS[quarter]}"


def _ballot_box(yes: str, no: str) -> Transform:
    """A ticked box, in Unicode or in Wingdings' letters."""
    return lambda text: {"☐": no, "☑": yes, "☒": yes, "¨": no, "þ": yes, "x": yes}[text]


def _coded(codes: Mapping[str, str]) -> Transform:
    """The code of the name in the text, or of the first name that the text begins with."""

    def read(text: str) -> str:
        name = _GAPS.sub(" ", text).lower().removeprefix("the ")
        if name in codes:
            return codes[name]
        for known, code in codes.items():
            if name.startswith(known):
                return code
        raise KeyError(text)

    return read


def _filer_category(text: str) -> str:
    words = _GAPS.sub(" ", text).split(" ")
    return " ".join(word[:1].upper() + word[1:] for word in words)


TRANSFORMS: dict[str, Transform] = {
    **dict.fromkeys(
        ("numdotdecimal", "numdotdecimalin", "numdotdecimalapos", "numcommadot", "numspacedot"),
        _dot_decimal,
    ),
    **dict.fromkeys(
        ("numcommadecimal", "numcommadecimalapos", "numdotcomma", "numspacecomma", "numcomma"),
        _comma_decimal,
    ),
    **dict.fromkeys(("numunitdecimal", "numunitdecimalapos"), _unit_decimal),
    **dict.fromkeys(("numdash", "zerodash", "fixedzero"), _constant("0")),
    **dict.fromkeys(("nocontent", "fixedempty"), _constant("")),
    **dict.fromkeys(("booleantrue", "fixedtrue"), _constant("true")),
    **dict.fromkeys(("booleanfalse", "fixedfalse"), _constant("false")),
    **dict.fromkeys(("datedaymonthyear", "datedoteu", "dateslasheu"), _date("dmy")),
    **dict.fromkeys(("datedaymonthyearen", "datedaymonthnameyearen"), _date("dmy")),
    **dict.fromkeys(("datelonguk", "dateshortuk"), _date("dmy")),
    **dict.fromkeys(("datemonthdayyear", "datedotus", "dateslashus"), _date("mdy")),
    **dict.fromkeys(("datemonthdayyearen", "datemonthnamedayyearen"), _date("mdy")),
    **dict.fromkeys(("datelongus", "dateshortus"), _date("mdy")),
    "dateyearmonthday": _date("ymd"),
    **dict.fromkeys(("datedaymonth", "datedaymonthen", "datedaymonthnameen"), _date("dm")),
    **dict.fromkeys(("datemonthday", "datemonthdayen", "datemonthnamedayen"), _date("md")),
    **dict.fromkeys(
        ("dateslashdaymontheu", "datelongdaymonthuk", "dateshortdaymonthuk"), _date("dm")
    ),
    **dict.fromkeys(
        ("dateslashmonthdayus", "datelongmonthdayus", "dateshortmonthdayus"), _date("md")
    ),
    **dict.fromkeys(("datemonthyear", "datemonthyearen", "datemonthnameyearen"), _date("my")),
    **dict.fromkeys(("datelongmonthyear", "dateshortmonthyear"), _date("my")),
    **dict.fromkeys(("dateyearmonth", "dateyearmonthen", "dateyearmonthnameen"), _date("ym")),
    **dict.fromkeys(("datelongyearmonth", "dateshortyearmonth"), _date("ym")),
    "numwordsen": _number_words,
    "duryear": _duration("Y"),
    "durmonth": _duration("M"),
    "durweek": _duration("W"),
    "durday": _duration("D"),
    "durhour": _duration("H"),
    "durwordsen": _duration_words,
    "datequarterend": _quarter_end,
    "boolballotbox": _ballot_box("true", "false"),
    "yesnoballotbox": _ballot_box("Yes", "No"),
    "exchnameen": _coded(EXCHANGES),
    "stateprovnameen": _coded(STATES),
    "entityfilercategoryen": _filer_category,
}
"""A row for each format, its prefix and hyphens taken off."""
