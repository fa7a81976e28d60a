"""FinQA files to the numeric recipe's parts: training, dev and test with no page in common."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eval.finqa import FinqaExample, load_finqa
from eval.numeric import Scaling, Values
from finetune.numeric_config import NumericConfig
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class NumericPart:
    """Questions of one part with what the model is given and what it is to say.

    ``texts`` are ``Question: … Context: …``; ``passages`` what answers each question, for the
    contrastive term. Both and ``answers`` are in the order of ``examples``.
    """

    examples: tuple[FinqaExample, ...]
    texts: tuple[str, ...]
    passages: tuple[str, ...]
    answers: tuple[float, ...]

    @property
    def ids(self) -> list[str]:
        """Question ids; unique within a part."""
        return [f"{number}:{example.id}" for number, example in enumerate(self.examples)]

    @property
    def pages(self) -> dict[str, str]:
        """Question id → page."""
        return {id_: example.page for id_, example in zip(self.ids, self.examples, strict=True)}

    @property
    def sha256(self) -> str:
        """Hash of the examples as read, in order."""
        records = [asdict(example) for example in self.examples]
        return hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class NumericData:
    """The three parts, the training answers' scale, and how many rows were left out and why."""

    train: NumericPart
    dev: NumericPart
    test: NumericPart
    scaling: Scaling
    not_numbers: int
    leaked: int

    def z(self, part: NumericPart) -> Values:
        """A part's answers as the heads are to say them, (n,)."""
        return self.scaling.scale(part.answers)

    def trace(self) -> dict[str, object]:
        """What is written down beside the model: counts, and the hash of each part."""
        parts = {"train": self.train, "dev": self.dev, "test": self.test}
        return {
            "not_numbers": self.not_numbers,
            "leaked": self.leaked,
            **{f"{name}_questions": len(part.texts) for name, part in parts.items()},
            **{f"{name}_sha256": part.sha256 for name, part in parts.items()},
        }

    def sentence(self) -> str:
        """What a person is told before training."""
        return (
            f"FinQA: {len(self.train.texts)} questions to train, {len(self.dev.texts)} to choose "
            f"the epoch, {len(self.test.texts)} to test. Left out: {self.not_numbers} answered yes "
            f"or no, {self.leaked} whose page or question is in a later part too."
        )


def load_numeric_data(config: NumericConfig) -> NumericData:
    """Read the files of the recipe; dev is held out of training by page where none is named.

    A question or a page that stands in two parts stays in the later of train, dev, test.

    Raises:
        DataError: a file cannot be used, or a part is left empty.
    """
    train, dev, test = (
        _load(config.files(names)) for names in (config.train, config.dev, config.test)
    )
    wanted = [_numbers(part) for part in (train, dev, test)]
    kept_test = wanted[2]
    kept_dev = _apart(wanted[1], kept_test)
    kept_train = _apart(wanted[0], [*kept_dev, *kept_test])
    leaked = len(wanted[0]) + len(wanted[1]) - len(kept_train) - len(kept_dev)
    if not config.dev:
        kept_train, kept_dev = _hold_out(kept_train, config.dev_share, config.seed)
        again = _apart(kept_train, kept_dev)
        leaked += len(kept_train) - len(again)
        kept_train = again
    for name, part in (("train", kept_train), ("dev", kept_dev), ("test", kept_test)):
        if not part:
            raise DataError(
                f"No question with a number is left in the {name} part; name more files for it."
            )
    return NumericData(
        train=_part(kept_train),
        dev=_part(kept_dev),
        test=_part(kept_test),
        scaling=Scaling.of([_answer(example) for example in kept_train]),
        not_numbers=len(train) + len(dev) + len(test) - sum(map(len, wanted)),
        leaked=leaked,
    )


def numeric_text(question: str, context: str) -> str:
    """The model's input, as the recipe was published."""
    return f"Question: {question} Context: {context}"


def _load(paths: Sequence[Path]) -> list[FinqaExample]:
    return [example for path in paths for example in load_finqa(path)]


def _numbers(examples: Sequence[FinqaExample]) -> list[FinqaExample]:
    return [example for example in examples if example.exe_answer is not None]


def _apart(part: Sequence[FinqaExample], later: Sequence[FinqaExample]) -> list[FinqaExample]:
    """Those of a part that share neither a page nor a question with a later part."""
    pages = {example.page for example in later}
    questions = {_plain(example.question) for example in later}
    return [
        example
        for example in part
        if example.page not in pages and _plain(example.question) not in questions
    ]


def _plain(question: str) -> str:
    return " ".join(question.lower().split())


def _hold_out(
    examples: Sequence[FinqaExample], share: float, seed: int
) -> tuple[list[FinqaExample], list[FinqaExample]]:
    """Train and dev: ``share`` of the pages, at least one, drawn by ``seed``."""
    pages = sorted({example.page for example in examples})
    held = set(
        random.Random(seed).sample(pages, max(1, round(share * len(pages)))) if pages else ()
    )
    return (
        [example for example in examples if example.page not in held],
        [example for example in examples if example.page in held],
    )


def _part(examples: Sequence[FinqaExample]) -> NumericPart:
    return NumericPart(
        examples=tuple(examples),
        texts=tuple(numeric_text(example.question, _context(example)) for example in examples),
        passages=tuple("\n".join(example.gold) or _context(example) for example in examples),
        answers=tuple(_answer(example) for example in examples),
    )


def _context(example: FinqaExample) -> str:
    """What a retriever hands on, then the table; the whole page where the form says no more."""
    if example.evidence:
        return "\n".join((*example.evidence, example.table_text))
    return example.page_text


def _answer(example: FinqaExample) -> float:
    assert example.exe_answer is not None, "yes and no are left out before"
    return example.exe_answer
