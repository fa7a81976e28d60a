"""The address of a passage in its filing at the SEC, where the library knows one."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from llama_index.core.schema import TextNode

FRAGMENT_WORDS = 8
"""Words of a sentence that a text fragment names: a browser looks for them as they stand."""


def place_link(source: str, node: TextNode, text: str) -> str:
    """A link to a passage in the document that ``source`` names; empty where that is no SEC page.

    An HTML document is opened at the passage's anchor and at ``text``, where the browser knows text
    fragments; a PDF at its page.
    """
    address = urlsplit(source)
    host = address.hostname or ""
    if address.scheme != "https" or not (host == "sec.gov" or host.endswith(".sec.gov")):
        return ""
    about = node.metadata
    if about["page"]:
        place = f"page={about['page']}"
    else:
        words = text.split()[:FRAGMENT_WORDS]
        # A dash or a comma in a fragment parts its fields.
        named = quote(" ".join(words), safe="").replace("-", "%2D")
        place = quote(about["anchor"], safe="") + (f":~:text={named}" if named else "")
    return address._replace(fragment=place).geturl() if place else address.geturl()
