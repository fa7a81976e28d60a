"""Rows from every form of source, and what is said of those that cannot be read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from eval.data_flags import add_column_flags, columns_of
from eval.rows import Columns, QaRow, load_qa_rows
from rag_app.errors import DataError

HEADER = "question,answer,context,ticker,filing\n"


def test_csv_rows_keep_order_quotes_and_empty_fields(tmp_path: Path) -> None:
    path = tmp_path / "qa.csv"
    path.write_bytes(
        ("\ufeff" + HEADER + 'Why?,,"a, ""b""\nc",NVDA,2023_10K\nHow?,so,x,,\n').encode()
    )
    assert load_qa_rows(str(path)) == [
        QaRow("0", "Why?", "", 'a, "b"\nc', "NVDA", "2023_10K"),
        QaRow("1", "How?", "so", "x", "", ""),
    ]


def test_jsonl_rows(tmp_path: Path) -> None:
    path = tmp_path / "qa.jsonl"
    line = {"question": "Why?", "answer": None, "context": "a\u2028b", "ticker": "T", "filing": "f"}
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n\n" + json.dumps(line) + "\n")
    rows = load_qa_rows(str(path))
    assert [row.id for row in rows] == ["0", "1"]
    assert rows[0] == QaRow("0", "Why?", "", "a\u2028b", "T", "f")


def test_parquet_rows(tmp_path: Path) -> None:
    path = tmp_path / "qa.parquet"
    table = {"context": ["a", "b"], "question": ["Why?", None], "more": [[1], [2]]}
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    assert load_qa_rows(str(path)) == [
        QaRow("0", "Why?", "", "a", "", ""),
        QaRow("1", "", "", "b", "", ""),
    ]


def test_columns_have_the_names_that_flags_give(tmp_path: Path) -> None:
    path = tmp_path / "qa.csv"
    path.write_text("anchor,positive,symbol\nWhy?,So.,T\n")
    parser = argparse.ArgumentParser()
    add_column_flags(parser)
    named = ["--question-column", "anchor", "--context-column", "positive"]
    columns = columns_of(parser.parse_args([*named, "--ticker-column", "symbol"]))
    assert columns == Columns("anchor", "positive", ticker="symbol")
    assert columns_of(parser.parse_args([])) == Columns()
    assert load_qa_rows(str(path), columns) == [QaRow("0", "Why?", "", "So.", "T", "")]
    with pytest.raises(DataError, match=r"lacks year \(row 0\); it has anchor, positive, symbol"):
        load_qa_rows(str(path), Columns("anchor", "positive", filing="year"))
    with pytest.raises(DataError, match=r"lacks question, context .* --question-column"):
        load_qa_rows(str(path))


def write_beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        '{"_id": "d1", "title": "Sales", "text": "They rose.", "metadata": {"ticker": "T"}}\n'
        '{"_id": "d2", "title": "", "text": "They fell."}\n'
    )
    (folder / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "Up?"}\n{"_id": "q2", "text": "Down?"}\n'
    )
    head = "query-id\tcorpus-id\tscore\n"
    (folder / "qrels/test.tsv").write_text(head + "q1\td1\t1\nq1\td2\t0\n")
    (folder / "qrels/train.tsv").write_text(head + "q2\td2\t2\n")
    return folder


def test_a_beir_folder_gives_a_row_a_judgement(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "beir")
    assert load_qa_rows(str(folder)) == [
        QaRow("0", "Up?", "", "Sales They rose.", "T", ""),
        QaRow("1", "Down?", "", "They fell.", "", ""),
    ]
    only = load_qa_rows(str(folder / "qrels/train.tsv"))
    assert only == [QaRow("0", "Down?", "", "They fell.", "", "")]


def test_a_damaged_beir_folder_names_file_and_line(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "beir")
    qrels = folder / "qrels/train.tsv"
    qrels.write_text("q2\td2\t1\nq2\td9\t1\n")
    with pytest.raises(DataError, match=r"Line 2 of .*train.tsv names d9 for q2"):
        load_qa_rows(str(folder))
    qrels.write_text("q2\td2\t1\nq2 d2 1\n")
    with pytest.raises(DataError, match=r"Line 2 of .*train.tsv is not a query id"):
        load_qa_rows(str(folder))
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "text": "a"}\n{"id": "d2"}\n')
    with pytest.raises(DataError, match=r"Row 1 of .*corpus.jsonl lacks _id or text"):
        load_qa_rows(str(folder))
    with pytest.raises(DataError, match="not in the BEIR layout"):
        load_qa_rows(str(tmp_path))


def test_llama_index_pairs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    # As EmbeddingQAFinetuneDataset.save_json writes it; the class is not in llama-index-core now.
    saved = {
        "queries": {"q1": "Up?", "q2": "Down?"},
        "corpus": {"d1": "They rose.", "d2": "They fell."},
        "relevant_docs": {"q1": ["d1"], "q2": ["d2", "d1"]},
        "mode": "text",
    }
    path.write_text(json.dumps(saved, indent=4))
    rows = load_qa_rows(str(path))
    assert [(row.question, row.context) for row in rows] == [
        ("Up?", "They rose."),
        ("Down?", "They fell."),
        ("Down?", "They rose."),
    ]
    path.write_text('{"queries": {"q1": "a"}, "corpus": {}, "relevant_docs": {"q1": ["d1"]}}')
    with pytest.raises(DataError, match="names d1 for q1"):
        load_qa_rows(str(path))
    path.write_text('[{"question": "a", "context": "b"}]')
    with pytest.raises(DataError, match="is not LlamaIndex's EmbeddingQAFinetuneDataset"):
        load_qa_rows(str(path))


def test_chat_feedback_gives_a_row_for_each_passage_marked_as_right(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    lines = [
        {"question": "Up?", "passages": ["a", "b"], "ticker": "T", "filing": "2023_10K"},
        {"question": "Down?", "passage": "c"},
        {"question": "Sideways?", "passages": []},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert load_qa_rows(str(path)) == [
        QaRow("0", "Up?", "", "a", "T", "2023_10K"),
        QaRow("1", "Up?", "", "b", "T", "2023_10K"),
        QaRow("2", "Down?", "", "c", "", ""),
    ]
    path.write_text('{"question": "Up?", "passages": "a"}\n')
    with pytest.raises(DataError, match=r"Row 0 .* needs a list of texts in passages"):
        load_qa_rows(str(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "question,answer,ticker,filing\na,b,c,d\n", "lacks context"),
        ("a.csv", "q,context\na,b\n", r"lacks question \(row 0\)"),
        ("a.csv", HEADER, "holds no rows"),
        ("a.csv", "", "holds no rows"),
        ("a.csv", HEADER + "a,b,c\n", "Row 0 .* not as many fields"),
        ("a.csv", HEADER + "a,b,c,d,e\na,b,c,d,e,f\n", "Row 1 .* not as many fields"),
        ("a.csv", HEADER + '"a" x,b,c,d,e\n', "is not a CSV file"),
        ("a.jsonl", '{"question": "a"}\n', "lacks context"),
        ("a.jsonl", '{"question"\n', "Line 1 .* is not a JSON object"),
        ("a.jsonl", "[1]\n", "Line 1 .* is not a JSON object"),
        ("a.jsonl", '{"question": "a", "context": ["b"]}\n', "Row 0 .* has a list as its context"),
        ("a.parquet", "question,context\n", "cannot be read as Parquet"),
        ("a.xlsx", "question,context\n", r"none of the forms .*\.csv, \.jsonl, \.parquet"),
    ],
)
def test_wrong_files_are_refused_in_a_sentence(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        load_qa_rows(str(tmp_path / name))


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\x89PNG\r\n\xff\xfe\x00")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        load_qa_rows(str(tmp_path / "a.csv"))
    for name in ("missing.csv", "missing.parquet"):
        with pytest.raises(DataError, match="There is no file"):
            load_qa_rows(str(tmp_path / name))
    with pytest.raises(DataError, match="hub data set such as"):
        load_qa_rows("not a name")


def test_a_data_set_that_the_hub_does_not_give_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import datasets.config
    import huggingface_hub.constants

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match=r"nobody/no-such-data could not be fetched.*--data CSV"):
        load_qa_rows("nobody/no-such-data")
