"""A file on disk → its bytes, and their text: kind, size and charset looked at, nothing guessed."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from rag_app.errors import FilingError

MAX_CONTROL = 80
"""Control characters in the first 8,192 that a text may have; with more it is not text."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"Rar!", b"7z\xbc\xaf")
_ENDS = ((b"<document>", b"</document>"), (b"<html", b"</html"), (b"%pdf", b"%%eof"))


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The bytes of a regular file, its size and kind looked at before any is read.

    Raises:
        FilingError: the file is missing, unreadable, empty, too large, or not a file at all.
    """
    source = printable(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FilingError(f"{source} is a folder; give a file in it.")
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device need never end
            raise FilingError(f"{source} is not a regular file; give the filing as a file.")
        size = status.st_size
        if size <= max_bytes:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)  # it may have grown since it was looked at
            size = len(data)
        if size > max_bytes:
            raise FilingError(
                f"{source} has {size / 1e6:.0f} MB, more than the {max_bytes / 1e6:.0f} MB "
                "allowed; raise max_file_mb in settings.toml if it is a filing."
            )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FilingError(f"{source} cannot be read ({reason}); check the path.") from None
    if not data.strip():
        raise FilingError(f"{source} is empty; download the filing again.")
    return data


def printable(path: Path) -> str:
    """A path as one line that can be shown and stored, whatever bytes its name has."""
    return "".join(char if char.isprintable() else "?" for char in str(path))


def decode(data: bytes, source: str) -> str:
    """The text of a document: UTF-8 if it is valid, else UTF-16 by its marks, else Windows-1252.

    What a document declares is not asked: old filings declare wrongly more often than not.

    Raises:
        FilingError: the bytes are no text.
    """
    sample = data[:4096]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
    elif sample[1::2].count(0) * 4 > len(sample):  # every second byte: Latin letters in UTF-16
        text = data.decode("utf-16-le", "replace")
    elif sample[::2].count(0) * 4 > len(sample):
        text = data.decode("utf-16-be", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    if data.startswith(_ARCHIVES) or len(_CONTROL.findall(text[:8192])) > MAX_CONTROL:
        raise FilingError(f"{source} is not HTML, text or PDF; give a filing in one of these.")
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_cut_off(data: bytes) -> bool:
    """Whether a file opens what it never closes: a download that broke off."""
    head, tail = data[:20_000].lower(), data[-20_000:].lower()
    return any(closes not in tail for opens, closes in _ENDS if opens in head)
