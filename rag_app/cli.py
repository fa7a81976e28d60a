"""What the three command lines share: one line an error, exit codes, the model that is meant."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag_app.errors import RagError
from rag_app.index.chroma_server import dense_store
from rag_app.index.embedder import Embedder
from rag_app.index.encoders import encoder_cache
from rag_app.index.models import resolve_model
from rag_app.library import Library
from rag_app.settings import Settings, load_settings

if TYPE_CHECKING:
    from rag_app.index.snapshot import Snapshot

OK, INTERNAL, USER, INTERRUPTED = 0, 1, 2, 130
STOPPED = "Stopped; what was finished is kept. Run the command again."


def add_debug_flag(parser: argparse.ArgumentParser) -> None:
    """Give a parser the ``--debug`` that ``run`` reads."""
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")


def run(
    command: Callable[[argparse.Namespace], int], args: argparse.Namespace, stopped: str = STOPPED
) -> int:
    """Run a command; a failure is one line on stderr and an exit code, never a bare traceback.

    2: something that the user can mend; 1: a fault of the program; 130: Ctrl-C, after the
    sentence ``stopped``.
    """
    try:
        return command(args)
    except RagError as error:
        failure: BaseException = error
        code, line = USER, f"error: {error}"
    except KeyboardInterrupt as error:
        code, line = INTERRUPTED, stopped
        failure = error
    except BrokenPipeError:  # `| head` has read enough; nothing is left to write to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        code, failure = INTERNAL, error
        line = f"internal error: {type(error).__name__}: {error} (--debug shows where)"
    if args.debug:
        traceback.print_exception(failure)
    print(" ".join(line.split()), file=sys.stderr)
    return code


@dataclass(frozen=True, slots=True)
class Opened:
    """What most commands work with; the model itself loads at its first use."""

    settings: Settings
    library: Library
    embedder: Embedder
    dim: int


def open_all(args: argparse.Namespace, **flags: Any) -> Opened:
    """Open what ``--model``, ``--dim`` and further flags name.

    Raises:
        RagError: a setting is wrong.
        ModelError: there is no such model, or it has no such dimension.
    """
    settings = load_settings(model=args.model, dim=args.dim, **flags)
    embedder = open_embedder(settings)
    dim = embedder.spec.check_dim(settings.dim)
    return Opened(settings, open_library(settings), embedder, dim)


def open_index(opened: Opened) -> Snapshot:
    """The index to answer from, behind a bar where the model encodes first; notes go to stderr.

    Raises:
        RagError: as ``open_snapshot``.
    """
    from rag_app.index.serving import open_snapshot
    from rag_app.progress import encoding_bar

    with encoding_bar() as on_progress:
        return open_snapshot(
            opened.library,
            opened.embedder,
            opened.dim,
            on_progress=on_progress,
            on_note=lambda note: print(f"note: {note}", file=sys.stderr),
        )


def open_library(settings: Settings) -> Library:
    """The library of the settings; what there is to know of its Chroma server goes to stderr."""
    library = Library(settings.home, dense_store(settings))
    if library.dense.note:
        print(f"note: {library.dense.note}", file=sys.stderr)
    return library


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name; the model itself loads at its first use.

    Raises:
        ModelError: there is no such model.
    """
    spec = resolve_model(
        settings.model,
        settings.home,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
    )
    return Embedder(spec, encoder=settings.encoder, cache=encoder_cache(settings.home))
