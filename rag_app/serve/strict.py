"""What a request holds is known by name: no misspelt field is passed over, each is one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

WHOLE = {"unknown_field", "no_question"}
"""Types of errors whose message is the whole sentence."""


class Strict(BaseModel):
    """Takes the fields it has and no others."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for name in given:
                if name not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_field", "{why}", {"why": _unknown(cls, name)}
                    )
        return given


def _unknown(model: type[BaseModel], name: str) -> str:
    known = list(model.model_fields)
    if not known:
        return f"There is no field `{name}`; leave it out, none is taken here."
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    meant = f"did you mean `{close[0]}`? The" if close else "the"
    return f"There is no field `{name}`; {meant} fields here are {', '.join(known)}."


def wrong_input(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as the beginning of a sentence, or as a whole one."""
    if error["type"] in WHOLE:
        return str(error["msg"])
    return f"`{'.'.join(map(str, error['loc']))}` is wrong: {error['msg']}"
