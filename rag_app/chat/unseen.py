"""Characters that no reader sees: a filing's or a model's text carries no orders in them."""

from __future__ import annotations

import re

# Controls (terminals obey them) but tab and line feed, soft hyphen, zero-width and direction
# signs, variation selectors, private use, and the tags that spell ASCII invisibly.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ue000-\uf8ff\U0001bca0-\U0001bca3\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


def without_unseen(text: str) -> str:
    """The text without what is drawn as nothing, or turns the direction of what is drawn."""
    return _UNSEEN.sub("", text)
