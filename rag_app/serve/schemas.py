"""What the HTTP API takes and gives, as its OpenAPI document says it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from rag_app.question import NO_QUESTION, WORDS, in_words
from rag_app.records import Filters
from rag_app.serve.strict import Strict

MAX_QUESTION = 2000
MAX_VALUES = 50


def _in_words(question: str) -> str:
    if not in_words(question):
        raise PydanticCustomError("no_question", NO_QUESTION)
    return question


Question = Annotated[
    str,
    Field(
        max_length=MAX_QUESTION,
        description="A question in words",
        examples=["What was total revenue in fiscal 2023?"],
        json_schema_extra={"minLength": 1, "pattern": WORDS},
    ),
    AfterValidator(_in_words),
]
Count = Annotated[int, Field(ge=1, le=50, description="Passages; none: as the settings say")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
ChunkId = Annotated[str, Path(max_length=500, description="As a search gives it")]
Year = Annotated[int, Field(ge=1900, le=2200)]
Names = Annotated[list[Name], Field(max_length=MAX_VALUES)]
Years = Annotated[list[Year], Field(max_length=MAX_VALUES)]


class Refused(BaseModel):
    """Why there is no answer."""

    error: str = Field(description="One sentence: what happened and what to do")


class Nothing(Strict):
    """The query of an endpoint that takes none."""


class OfFilings(Strict):
    """Which filings. Several values of a filter admit any of them; an empty one restricts not."""

    ticker: Names = Field([], description="Only these companies: tickers or CIKs")
    form: Names = Field([], description="Only these forms, such as 10-K")
    year: Years = Field([], description="Only these fiscal years")

    @property
    def filters(self) -> Filters:
        """The filters alone."""
        return Filters(self.ticker, self.form, self.year)


class OfFacts(OfFilings):
    """Which facts of which filings."""

    concept: Name = Field(description="Such as Revenues or us-gaap:Revenues")
    limit: int = Field(100, ge=1, le=1000)


class Search(OfFilings):
    """A question to passages; its own words set the filters that are not given."""

    question: Question
    item: Names = Field([], description="Only these Items, such as 1A")
    k: Count | None = None

    @property
    def filters(self) -> Filters:
        """The filters alone."""
        return Filters(self.ticker, self.form, self.year, item=self.item)


class Ask(Search):
    """A question to answer; its own words set the filters that are not given."""

    stream: bool = Field(False, description="Send the text as it is written, as events")


class Open(BaseModel):
    """A record that may gain fields."""

    model_config = ConfigDict(extra="allow")


class Answered(Open):
    """An answer: its text with markers, the passages they name, and every figure's fate."""

    answer: str
    notes: list[str]
    citations: list[dict[str, Any]]
    figures: list[dict[str, Any]]
    hits: list[dict[str, Any]]
    model: str
    dim: int
    llm: str
    timings_ms: dict[str, float]


class Passage(Open):
    """A passage and where it stands; ``text`` is the filing's own words."""

    chunk_id: str
    filing: str
    company: str
    ticker: str
    form: str
    fiscal_year: int
    period_end: str
    item: str
    page: int | None
    prefix: str
    text: str


class Hit(Passage):
    """A passage that a search found."""

    rank: int
    score: float | None
    cosine: float


class Found(BaseModel):
    """Hits, best first; ``notes`` say what the library lacks of what was asked.

    ``filters`` are those that were searched with: the ones given, and what the question's own
    words set.
    """

    hits: list[Hit]
    filters: dict[str, Any]
    notes: list[str]
    model: str
    dim: int


class StoredFilingShown(Open):
    """A filing of the library."""

    filing: str
    company: str
    ticker: str
    form: str
    fiscal_year: int
    period_end: str
    chunks: int


class Filings(BaseModel):
    """The filings that pass the filters."""

    filings: list[StoredFilingShown]


class FactShown(Open):
    """An XBRL fact; ``value`` is exact, sign and scale applied."""

    filing: str
    concept: str
    value: str
    unit: str
    period_start: str | None
    period_end: str | None
    chunk_id: str


class Facts(BaseModel):
    """Facts of one concept: totals before their parts, the newest period first."""

    facts: list[FactShown]


class Healthy(BaseModel):
    """The API answers."""

    status: str
    filings: int
    chunks: int
    model: str
    dim: int
    llm: str
