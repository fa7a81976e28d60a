"""FinQA in every form it is passed on in: counts, answers, pages, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.finqa import load_finqa
from eval.finqa_program import run_program
from rag_app.errors import DataError

FORMS = {
    "finqa_train_100_original.json": (100, 95, 4),
    "finqa_dev_200_original.json": (200, 123, 10),
    "finqa_test_100_original.json": (100, 87, 2),
    "finqa_test_500_simplified.json": (500, 307, 10),
    "finqa_dev_pixiu.jsonl": (883, 299, 10),
    "finqa_dev_cbr_noCase.csv": (883, 299, 10),
    "finqa_test_cbr_noCase.csv": (1147, 377, 20),
}
"""File → questions, pages, answers of yes or no."""

TABLE = [["", "2014", "2013"], ["net sales", "$ 40", "$ 32"], ["loss ( gain )", "-8 ( 8 )", "5%"]]


def original(**changes: object) -> dict[str, object]:
    """A made-up example in the layout of FinQA's own files."""
    qa = {
        "question": "how much did net sales grow?",
        "answer": "25%",
        "program": "subtract(40, 32), divide(#0, 32)",
        "exe_ans": 0.25,
        "gold_inds": {"table_1": "net sales of 2014 is $ 40 ;"},
        "model_input": [["text_1", "sales rose ."], ["table_1", "net sales of 2014 is $ 40 ;"]],
    }
    return {
        "id": "QP/2014/page_3.pdf-1",
        "pre_text": ["quillfeather pumps", "."],
        "post_text": ["sales rose ."],
        "table": TABLE,
        "qa": qa | changes,
    }


def written(folder: Path, *records: object) -> Path:
    path = folder / "train.json"
    path.write_text(json.dumps(list(records)), "utf-8")
    return path


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "counts"), FORMS.items(), ids=list(FORMS))
def test_every_form_is_read_whole(
    shared_data: Path, name: str, counts: tuple[int, int, int]
) -> None:
    examples = load_finqa(shared_data / "eval/finqa" / name)

    without = sum(example.exe_answer is None for example in examples)
    assert (len(examples), len({example.page for example in examples}), without) == counts
    assert len({example.id for example in examples}) == len(examples)
    assert all(example.question and example.page_text for example in examples)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [name for name in FORMS if "original" in name])
def test_programs_compute_the_published_answers(shared_data: Path, name: str) -> None:
    path = shared_data / "eval/finqa" / name
    records = json.loads(path.read_text("utf-8"))

    computed = [run_program(record["qa"]["program"], record["table"]) for record in records]

    assert computed == [record["qa"]["exe_ans"] for record in records]


@pytest.mark.shared_data
def test_two_forms_of_dev_agree_on_answers_and_pages(shared_data: Path) -> None:
    """One computes the answer from the program, the other states it."""
    prompts = load_finqa(shared_data / "eval/finqa/finqa_dev_cbr_noCase.csv")
    stated = load_finqa(shared_data / "eval/finqa/finqa_dev_pixiu.jsonl")

    assert [one.exe_answer for one in prompts] == [one.exe_answer for one in stated]
    assert [one.page for one in prompts] == [one.page for one in stated]
    assert [one.question for one in prompts] == [one.question for one in stated]


def test_an_original_example_keeps_gold_evidence_and_page(tmp_path: Path) -> None:
    (example,) = load_finqa(written(tmp_path, original()))

    assert (example.company, example.exe_answer, example.answer_text) == ("QP", 0.25, "25%")
    assert example.gold == ("net sales of 2014 is $ 40 ;",)
    assert example.evidence == ("sales rose .", "net sales of 2014 is $ 40 ;")
    assert example.page_text.split("\n") == [
        "quillfeather pumps",
        " | 2014 | 2013",
        "net sales | $ 40 | $ 32",
        "loss ( gain ) | -8 ( 8 ) | 5%",
        "sales rose .",
    ]


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"exe_ans": None}, 0.25),
        ({"exe_ans": None, "program": "", "gold_inds": None, "model_input": None}, None),
        ({"exe_ans": "yes"}, None),
    ],
    ids=["computed", "private test", "yes"],
)
def test_answers_that_the_file_does_not_state(
    tmp_path: Path, changes: dict[str, object], answer: float | None
) -> None:
    (example,) = load_finqa(written(tmp_path, original(**changes)))

    assert example.exe_answer == answer


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("multiply(1,250, const_m1)", -1250.0),
        ("add(5%, const_2)", 2.05),
        ("exp(const_2, const_3), subtract(#0, #0), add(#0, #1)", 8.0),
        ("table_sum(net sales, none)", 72.0),
        ("table_min(loss ( gain ), none), divide(#0, const_2)", -4.0),
        ("divide(const_1, const_3)", 0.33333),
        ("greater(40, 32)", "yes"),
        ("greater(32, 40)", "no"),
    ],
)
def test_programs(program: str, answer: float | str) -> None:
    assert run_program(program, TABLE) == answer


@pytest.mark.parametrize(
    "program",
    [
        "",
        "divide(4, const_0)",
        "add(#0, 4)",
        "table_max(no such row, none)",
        "power(2, 3)",
        "add(4",
    ],
)
def test_a_program_that_computes_nothing_is_refused(program: str) -> None:
    with pytest.raises(DataError, match=r"cannot be computed; mend it, or leave its row out"):
        run_program(program, TABLE)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.json", "{", "is not JSON"),
        ("a.json", "{}", "is no list of FinQA examples"),
        ("a.json", "[]", "holds no FinQA examples"),
        ("a.json", '[{"qa": {}}]', r"Row 0 of .* is no FinQA example \(KeyError"),
        ("a.json", json.dumps([original(exe_ans=None, program="add(")]), "Row 0 of .* computed"),
        ("a.json", json.dumps([original() | {"table": []}]), "its table is empty"),
        ("a.jsonl", '{"conversations": []}', "Row 0 of .* is no FinQA example"),
        ("a.csv", "question\nhow much?\n", r"is no FinQA example \(KeyError: 'text'\)"),
        ("a.csv", "text\nhow much?\n", "its prompt has not the known layout"),
        ("a.parquet", "", "is no FinQA file"),
    ],
)
def test_other_files_are_refused_in_a_sentence(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")

    with pytest.raises(DataError, match=sentence):
        load_finqa(path)
