"""What an index was built from; refuses a mismatch and names the command that mends it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import IndexMismatch, OutdatedIndex
from rag_app.filings.chunks import CHUNKER_VERSION
from rag_app.index.models import ModelSpec
from rag_app.library import LAYOUT
from rag_app.sealed import write_whole

FILE = "passport.json"
FORMAT = 2


@dataclass(frozen=True, slots=True)
class Passport:
    """Everything that a sealed index depends on.

    ``filings`` maps a filing's key to the version that was indexed: reads resolve chunk ids
    through it, so an index and its passages never mix two states of the library.
    """

    model: str
    fingerprint: str
    width: int
    dim: int
    query_prompt: str
    document_prompt: str
    filings: dict[str, str]
    chunk_count: int
    chunk_ids_sha256: str
    format: int = FORMAT

    @classmethod
    def of(
        cls, spec: ModelSpec, dim: int, filings: dict[str, str], chunk_ids: Iterable[str]
    ) -> Passport:
        """The passport of an index over these filing versions and chunks."""
        ids = sorted(chunk_ids)
        return cls(
            model=spec.name,
            fingerprint=spec.fingerprint,
            width=spec.width,
            dim=dim,
            query_prompt=spec.query_prompt,
            document_prompt=spec.document_prompt,
            filings=filings,
            chunk_count=len(ids),
            chunk_ids_sha256=hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        )

    def save(self, folder: Path) -> None:
        """Write the passport into an index's folder."""
        write_whole(folder / FILE, json.dumps(dataclasses.asdict(self), indent=1).encode())

    @classmethod
    def load(cls, folder: Path) -> Passport:
        """Read an index's passport.

        Raises:
            OutdatedIndex: another version of this program wrote it.
            IndexMismatch: there is none.
        """
        try:
            passport = cls(**json.loads((folder / FILE).read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise IndexMismatch(
                f"The index at {folder} has no readable passport; run "
                "`python -m rag_app index --rebuild`."
            ) from error
        if passport.format != FORMAT:
            raise OutdatedIndex(
                f"The index at {folder} was written by another version of this program "
                "(`python -m rag_app index` mends it)."
            )
        return passport

    def check(self, spec: ModelSpec, dim: int) -> None:
        """Refuse an index that another model, dimension, prompts or chunker made.

        Raises:
            IndexMismatch: names the first thing that differs.
        """
        wanted = {
            "dimension": (self.dim, dim),
            "query prompt": (self.query_prompt, spec.query_prompt),
            "document prompt": (self.document_prompt, spec.document_prompt),
            "model fingerprint": (self.fingerprint, spec.fingerprint),
        }
        for name, (built, asked) in wanted.items():
            if built != asked:
                raise IndexMismatch(
                    f"The index was built with {name} {built!r}, the settings say {asked!r}; run "
                    f"`python -m rag_app index --model {spec.name} --dim {dim}`."
                )
        made_by = f"{CHUNKER_VERSION}-{LAYOUT}"
        for key, version in self.filings.items():
            if not version.endswith(f"-{made_by}"):
                raise IndexMismatch(
                    f"The index was built with {key} cut by chunker and layout "
                    f"{version.partition('-')[2]}, this program's are {made_by}; run "
                    "`python -m rag_app ingest --repair`."
                )
