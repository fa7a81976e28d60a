"""``finetune promote``: serve a trained model, or go back to the one before."""

from __future__ import annotations

import argparse

from rag_app.cli import OK, USER, add_debug_flag
from rag_app.errors import TrainingError
from rag_app.settings import Settings, load_settings

NOTES = """examples:
  python -m finetune promote mine         compare it with the served model, and switch
  python -m finetune promote --rollback   serve what was served before

A model is served only if, on the held-out questions that it was scored on, it is not worse than
the served one at any of its dimensions: the paired 95% interval of nDCG@10 must reach above zero,
and the mean may be lower by no more than 0.005. Questions that one of the two was trained on are
left out while 100 others, or nine in ten, are left. Fewer: if it was the served model, all count,
which makes it harder to replace; if it was the new one, it is not promoted. Exit code 2 says that
it was not.
"""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "promote",
        help="serve a trained model if it is not worse, or roll back",
        description="Make a trained model the one that the app serves, if it is not worse.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a model under home/models")
    parser.add_argument(
        "--rollback", action="store_true", help="serve what was served before the last promotion"
    )
    add_debug_flag(parser)
    parser.set_defaults(act=_promote)


def _promote(args: argparse.Namespace) -> int:
    from rag_app.index.served import roll_back

    if (args.name is None) != args.rollback:
        raise TrainingError("Name a model to promote, or give --rollback, one of the two.")
    settings = load_settings()
    if args.rollback:
        print(f"{roll_back(settings.home)} is served from now on.")
        _tell_notes(settings)
        return OK
    return OK if promote_and_tell(settings, args.name) else USER


def promote_and_tell(settings: Settings, name: str) -> bool:
    """Promote a model if it is not worse, print why or why not, and return which.

    Raises:
        RagError: as ``promote``.
    """
    from finetune.promote import promote

    verdict = promote(
        settings.home,
        name,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
    )
    print(verdict)
    if verdict.promoted:
        _tell_notes(settings)
    return verdict.promoted


def _tell_notes(settings: Settings) -> None:
    """Print what still keeps the model that was switched to from answering at once."""
    from rag_app.index.build import chunks_without_vectors
    from rag_app.index.models import resolve_model
    from rag_app.index.served import served_model
    from rag_app.library import Library

    served = served_model(settings.home)
    if "model" in settings.model_fields_set and settings.model != served:
        print(
            f"Your settings name {settings.model}, which goes before: take `model` out of "
            "settings.toml and RAG_MODEL out of the environment."
        )
    spec = resolve_model(
        served,
        settings.home,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
    )
    if settings.dim is not None and settings.dim not in spec.dims:
        print(
            f"Your settings name the dimension {settings.dim}, which it does not have; choose one "
            f"of {', '.join(map(str, spec.dims))}."
        )
    waiting = chunks_without_vectors(Library(settings.home), spec)
    if waiting:
        print(
            f"{waiting} chunks of the library are to be encoded with it, at the next question or "
            f"by: python -m rag_app index --model {served}"
        )
