"""Records to plain JSON values and back, by the types of their fields."""

from __future__ import annotations

import functools
import sys
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from rag_app.filing_files import node_of

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore


def to_plain(value: Any) -> Any:
    """A record, or what stands in one, as JSON values; a hit keeps its text and metadata.

    Raises:
        TypeError: the value has no such form.
    """
    from llama_index.core.schema import NodeWithScore

    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: to_plain(each) for name, each in value.items()}
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, NodeWithScore):
        return {
            "id": value.node.node_id,
            "text": value.node.get_content(),
            "metadata": value.node.metadata,
            "score": value.score,
        }
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(kind: Any, value: Any) -> Any:
    """What ``to_plain`` was given, where ``kind`` is its type.

    A field that the record no longer has is dropped; one that it has gained gets its default.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the value is not of this kind.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if NoneType in parts:
        (other,) = (part for part in parts if part is not NoneType)
        return None if value is None else from_plain(other, value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        known = [field.name for field in fields(kind) if field.name in value]
        return kind(**{name: from_plain(hints[name], value[name]) for name in known})
    if origin is tuple:
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        return tuple(from_plain(*each) for each in zip(kinds, value, strict=True))
    if origin is dict:
        return {name: from_plain(parts[1], each) for name, each in value.items()}
    if getattr(kind, "__name__", "") == "NodeWithScore":
        return _hit(value)
    return value


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    """The types of a record's fields; LlamaIndex's are named there for the type checker only."""
    from llama_index.core.schema import NodeWithScore

    names = vars(sys.modules[kind.__module__]) | {"NodeWithScore": NodeWithScore}
    return get_type_hints(kind, names)


def _hit(value: Any) -> NodeWithScore:
    from llama_index.core.schema import NodeWithScore

    return NodeWithScore(node=node_of(value), score=value["score"])
