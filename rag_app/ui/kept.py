"""How long a choice in the sidebar is kept."""

from typing import Final

KEPT: Final = "session"
"""A choice stays while the reader is on another page."""
