"""Texts to token ids and batches without torch, exactly as the model's own tokenizer does it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD_TO = 8
"""Lengths are rounded up to this: fewer shapes to prepare kernels for, hardly more to compute."""
BATCH_TOKENS = 512
"""Padding included. More a batch is no faster on a processor, and its caches hold less of it."""

Ids = NDArray[np.int64]


class Tokens:
    """A ``tokenizer.json`` read by the ``tokenizers`` library; ``max_tokens`` None: no text is cut.

    Safe to call from several threads: nothing of it changes after it is made.
    """

    def __init__(self, file: Path, *, max_tokens: int | None, pad_id: int) -> None:
        self._file = file
        self._pad_id = pad_id
        self.max_tokens = max_tokens
        self._cutting = self._read(cut=True)
        self._whole: Tokenizer | None = None
        self._lock = threading.Lock()

    def _read(self, *, cut: bool) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._file))
        tokenizer.no_padding()
        if cut and self.max_tokens is not None:
            tokenizer.enable_truncation(self.max_tokens)
        else:
            tokenizer.no_truncation()
        return tokenizer

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has before it is cut."""
        with self._lock:  # a second tokenizer, which a question never needs
            if self._whole is None:
                self._whole = self._read(cut=False)
            whole = self._whole
        return [len(found) for found in whole.encode_batch_fast(list(texts))]

    def batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Ids, Ids]]:
        """Rows of ``texts``, their ids and the mask, both (rows, tokens): the longest first.

        Texts of about one length share a batch, so that little is padded.
        """
        ids = [found.ids for found in self._cutting.encode_batch_fast(list(texts))]
        waiting = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        while waiting:
            length = -(-len(ids[waiting[0]]) // PAD_TO) * PAD_TO
            if self.max_tokens is not None:
                length = min(length, self.max_tokens)
            rows = waiting[: max(1, BATCH_TOKENS // length)]
            waiting = waiting[len(rows) :]
            tokens = np.full((len(rows), length), self._pad_id, dtype=np.int64)
            mask = np.zeros_like(tokens)
            for place, row in enumerate(rows):
                tokens[place, : len(ids[row])] = ids[row]
                mask[place, : len(ids[row])] = 1
            yield rows, tokens, mask
