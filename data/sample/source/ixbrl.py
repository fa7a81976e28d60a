"""Collects inline-XBRL facts with their contexts and units, and writes the hidden header."""

from dataclasses import dataclass, field

Dims = tuple[tuple[str, str], ...]

UNITS = {
    "usd": "<xbrli:measure>iso4217:USD</xbrli:measure>",
    "shares": "<xbrli:measure>xbrli:shares</xbrli:measure>",
    "usdPerShare": (
        "<xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure>"
        "</xbrli:unitNumerator><xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure>"
        "</xbrli:unitDenominator></xbrli:divide>"
    ),
    "pure": "<xbrli:measure>xbrli:pure</xbrli:measure>",
}

NAMESPACES = {
    "": "http://www.w3.org/1999/xhtml",
    "ix": "http://www.xbrl.org/2013/inlineXBRL",
    "ixt": "http://www.xbrl.org/inlineXBRL/transformation/2020-02-12",
    "xbrli": "http://www.xbrl.org/2003/instance",
    "xbrldi": "http://xbrl.org/2006/xbrldi",
    "link": "http://www.xbrl.org/2003/linkbase",
    "xlink": "http://www.w3.org/1999/xlink",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "iso4217": "http://www.xbrl.org/2003/iso4217",
    "dei": "http://xbrl.sec.gov/dei/2024",
    "us-gaap": "http://fasb.org/us-gaap/2024",
    "srt": "http://fasb.org/srt/2024",
}


def _tag_member(prefix: str, name: str) -> str:
    """Gives a member the company's prefix unless it already carries one."""
    return name if ":" in name else f"{prefix}:{name}"


@dataclass
class Facts:
    """The facts of one filing: every tag written registers its context and unit here."""

    prefix: str
    cik: str
    end_date: str
    periods: dict[int, tuple[str, str]]
    contexts: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def context(self, year: int, instant: bool, dims: Dims = ()) -> str:
        """Registers the context of a fiscal year (or its last day) and returns its id."""
        start, end = self.periods[year]
        span = f"I{end}" if instant else f"D{start}_{end}"
        members = "".join("_" + member.split(":")[-1] for _, member in dims)
        name = "c" + span.replace("-", "") + members
        segment = "".join(
            f'<xbrldi:explicitMember dimension="{_tag_member(self.prefix, axis)}">'
            f"{_tag_member(self.prefix, member)}</xbrldi:explicitMember>"
            for axis, member in dims
        )
        if segment:
            segment = f"<xbrli:segment>{segment}</xbrli:segment>"
        dates = (
            f"<xbrli:instant>{end}</xbrli:instant>"
            if instant
            else f"<xbrli:startDate>{start}</xbrli:startDate><xbrli:endDate>{end}</xbrli:endDate>"
        )
        self.contexts[name] = (
            f'<xbrli:context id="{name}"><xbrli:entity><xbrli:identifier '
            f'scheme="http://www.sec.gov/CIK">{self.cik}</xbrli:identifier>{segment}'
            f"</xbrli:entity><xbrli:period>{dates}</xbrli:period></xbrli:context>"
        )
        return name

    def _next_id(self) -> str:
        self.count += 1
        return f"f-{self.count}"

    def number(
        self,
        shown: str,
        concept: str,
        year: int,
        *,
        instant: bool = False,
        unit: str = "usd",
        scale: int = 0,
        decimals: int = 0,
        negative: bool = False,
        dims: Dims = (),
    ) -> str:
        """Wraps a displayed figure in ix:nonFraction."""
        self.units[unit] = UNITS[unit]
        sign = ' sign="-"' if negative else ""
        return (
            f'<ix:nonFraction unitRef="{unit}" contextRef="{self.context(year, instant, dims)}" '
            f'decimals="{decimals}" name="{concept}" format="ixt:num-dot-decimal" '
            f'scale="{scale}"{sign} id="{self._next_id()}">{shown}</ix:nonFraction>'
        )

    def text(self, shown: str, concept: str, year: int, form: str = "") -> str:
        """Wraps displayed words in ix:nonNumeric."""
        attr = f' format="{form}"' if form else ""
        return (
            f'<ix:nonNumeric contextRef="{self.context(year, False)}" name="{concept}"{attr} '
            f'id="{self._next_id()}">{shown}</ix:nonNumeric>'
        )

    def root(self) -> str:
        """The opening html tag with every namespace."""
        names = dict(NAMESPACES)
        names[self.prefix] = f"http://www.{self.prefix}.example/{self.end_date.replace('-', '')}"
        attrs = " ".join(
            f'xmlns:{key}="{uri}"' if key else f'xmlns="{uri}"' for key, uri in names.items()
        )
        return f'<html {attrs} xml:lang="en-US">'

    def header(self, hidden: list[str]) -> str:
        """The display:none block: hidden facts, schema reference, contexts and units."""
        schema = f"{self.prefix}-{self.end_date.replace('-', '')}.xsd"
        units = "".join(
            f'<xbrli:unit id="{key}">{body}</xbrli:unit>' for key, body in self.units.items()
        )
        return (
            '<div style="display:none"><ix:header><ix:hidden>' + "".join(hidden) + "</ix:hidden>"
            '<ix:references xml:lang="en-US"><link:schemaRef xlink:type="simple" '
            f'xlink:href="{schema}"/></ix:references><ix:resources>'
            + "".join(self.contexts.values())
            + units
            + "</ix:resources></ix:header></div>"
        )
