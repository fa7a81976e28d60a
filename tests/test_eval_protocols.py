"""The protocols: what each takes as questions, passages and right answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_rows import write_rows

from eval.evalset import EvalSet, first_hits
from eval.gold import own_texts
from eval.metrics import per_query
from eval.protocols import build_evalset
from eval.protocols.choices import Choices
from eval.protocols.filings import Asked, filings_evalset
from eval.protocols.grouped import grouped_evalset
from eval.retrieval import judge
from eval.rows import QaRow, load_qa_rows
from rag_app.errors import DataError
from rag_app.library import Library


def test_filings_asks_verbatim_rows_of_every_chunk(sample_home: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path)
    asked = build_evalset("filings", str(data), sample_home)
    library = Library(sample_home)
    assert asked.corpus == library.passages()
    assert list(asked.queries) == [str(number) for number in range(1, 60)]
    assert (asked.goldless, asked.one_gold) == (0, True)
    filing_of = library.filing_of()
    rows = {row.id: row for row in load_qa_rows(str(data))}
    for query_id, right in asked.qrels.items():
        assert {filing_of[chunk_id].split("_")[0] for chunk_id in right} == {rows[query_id].ticker}
    assert set(asked.admitted) == {"BRWG", "LKSP", "TSLT"}
    assert {filing_of[id_] for id_ in asked.admitted["BRWG"]} == {
        "BRWG_10-K_FY2023",
        "BRWG_10-K_FY2024",
    }
    assert sum(map(len, asked.admitted.values())) == len(asked.corpus)


def test_a_gold_is_looked_for_in_a_chunks_own_words(sample_home: Path) -> None:
    library = Library(sample_home)
    texts, passages = own_texts(library), library.passages()
    assert texts.keys() == passages.keys()
    assert all(passages[id_].endswith(text) for id_, text in texts.items())
    titles = {"a": "KAPA 10-K > Item 7. Results of the year\nSales rose.", "b": "Item 8. Other"}
    words = {"a": "Sales rose.", "b": "Item 8. Other"}
    for gold, found in (("Item 7. Results of the year", {}), ("Sales rose", {"a": 1})):
        row = QaRow("0", "What of it?", "", gold, "KAPA", "")
        asked = filings_evalset(
            [Asked(row, "KAPA", "f")], titles, dict.fromkeys(titles, "f"), {}, words
        )
        assert asked.qrels["0"] == found


def test_filings_can_be_narrowed(sample_home: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path)
    narrow = Choices(companies=("LKSP",), corpus="asked")
    asked = build_evalset("filings", str(data), sample_home, narrow)
    assert set(asked.groups.values()) == {"LKSP"}
    assert set(asked.corpus) == set(asked.admitted["LKSP"])
    with pytest.raises(DataError, match="names no XYZ; its companies are BRWG, LKSP, TSLT"):
        build_evalset("filings", str(data), sample_home, Choices(companies=("XYZ",)))
    with pytest.raises(DataError, match="not in the library: BRWG_10-K_FY2023"):
        build_evalset("filings", str(data), tmp_path / "empty")
    with pytest.raises(
        DataError, match=r"--overlap says nothing to the protocol notebook.*filings"
    ):
        build_evalset("notebook", str(data), tmp_path, Choices(overlap=data))


def test_a_question_without_gold_is_asked_and_missed(sample_home: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path)
    text = data.read_text().splitlines()
    text[2] = "What of it?,,These words are nowhere in that filing at all,LKSP,"
    data.write_text("\n".join(text) + "\n")
    asked = build_evalset("filings", str(data), sample_home)
    assert (len(asked.queries), asked.goldless, asked.qrels["1"]) == (59, 1, {})
    everything = dict.fromkeys(asked.corpus, 1.0)
    values = judge(dict.fromkeys(asked.queries, everything), asked)
    assert values["recall@10"]["1"] == 0.0
    assert values["recall@10"].keys() == asked.queries.keys()


def test_of_several_right_passages_the_first_found_is_the_gold() -> None:
    run = {"q": {"x": 0.9, "b": 0.8, "a": 0.8, "c": 0.1}, "none": {"x": 1.0}, "lost": {"x": 1.0}}
    qrels: dict[str, dict[str, int]] = {"q": {"a": 1, "b": 1, "c": 1}, "none": {}, "lost": {"c": 1}}
    kept, golds = first_hits(run, qrels)
    assert kept["q"] == {"x": 0.9, "a": 0.8}
    assert golds == {"q": {"a": 1}, "none": {}, "lost": {"c": 1}}
    values = per_query(kept, golds)
    assert values["mrr@10"] == {"q": 0.5, "none": 0.0, "lost": 0.0}
    assert values["recall@5"]["q"] == 1.0
    assert per_query(run, qrels)["recall@1"]["q"] == 0.0


LEASE = "The company leases its plant in Ohio under a contract that ends in March of 2031."


def rows_of(*contexts: str) -> list[QaRow]:
    return [
        QaRow(str(number), f"question {number}?", "", context, f"t{number % 4}", "")
        for number, context in enumerate(contexts)
    ]


def test_grouped_merges_equal_and_nearly_equal_contexts() -> None:
    rows = rows_of(LEASE, LEASE.upper(), f"{LEASE} It may be renewed.", "Sales rose.", " ")
    asked = grouped_evalset(rows)
    assert set(asked.corpus) == {"0", "2", "3"}
    both = {"0": 1, "2": 1}
    assert asked.qrels == {"0": both, "1": both, "2": both, "3": {"3": 1}}
    assert asked.groups == {"0": "T0", "1": "T1", "2": "T2", "3": "T3"}
    # Finding the gold in one wording is finding it.
    assert judge({"0": {"2": 1.0, "3": 0.5, "0": 0.1}}, asked)["ndcg@10"]["0"] == 1.0


def test_folds_test_every_company_once_on_the_whole_corpus(tmp_path: Path) -> None:
    path = tmp_path / "qa.jsonl"
    rows = rows_of(*(f"Passage number {number} of the set." for number in range(12)))
    fields = ("question", "context", "ticker")
    path.write_text("\n".join(json.dumps({f: getattr(r, f) for f in fields}) for r in rows))
    whole = build_evalset("grouped", str(path), tmp_path)
    folds = [
        build_evalset("grouped", str(path), tmp_path, Choices(fold=f"{number}/2"))
        for number in (1, 2)
    ]
    assert folds[0].queries | folds[1].queries == whole.queries
    assert not set(folds[0].groups.values()) & set(folds[1].groups.values())
    for fold in folds:
        assert fold.corpus == whole.corpus
        assert fold.whole_sha256 == whole.sha256 != fold.sha256
    for wrong in ("3/2", "0/2", "2", "a/b"):
        with pytest.raises(DataError, match="give the second of five as 2/5"):
            build_evalset("grouped", str(path), tmp_path, Choices(fold=wrong))


def test_finqa_takes_the_longest_form_of_a_page_and_a_question_once(tmp_path: Path) -> None:
    def page(name: str, text: str, question: str) -> dict[str, object]:
        table = [["", "2019"], [f"revenue of {name}", "41"]]
        return {
            "id": f"{name}/2019/page_1.pdf-1",
            "pre_text": [text],
            "post_text": [],
            "table": table,
            "question": question,
            "answer": "41",
            "program": "add(1, 2)",
        }

    short = [page("AAL", "Short.", "What was revenue?")]
    long = [page("AAL", "A longer text of it.", "what was Revenue"), page("MMM", "Other.", "Why?")]
    (tmp_path / "finqa_test.json").write_text(json.dumps(short))
    (tmp_path / "finqa_dev.json").write_text(json.dumps(long))
    (tmp_path / "finqa_train.json").write_text(json.dumps([page("XOM", "Trained.", "Who?")]))
    asked = build_evalset("finqa", str(tmp_path), tmp_path)
    assert sorted(asked.groups.values()) == ["AAL", "MMM"]
    assert [text.split("\n")[0] for text in asked.corpus.values()] == [
        "A longer text of it.",
        "Other.",
    ]
    assert len(asked.queries) == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no dev or test file"):
        build_evalset("finqa", str(tmp_path / "empty"), tmp_path)


def test_tatqa_asks_of_paragraphs_and_table(tmp_path: Path) -> None:
    path = tmp_path / "tatqa.json"
    context = {
        "table": {"uid": "t1", "table": [["", "2019"], ["Sales", "41"]]},
        "paragraphs": [{"order": 2, "text": "Second."}, {"order": 1, "text": "First."}],
        "questions": [{"uid": "q1", "question": "What were sales?"}],
    }
    path.write_text(json.dumps([context]))
    asked = build_evalset("tatqa", str(path), tmp_path)
    assert asked.corpus == {"t1": "First.\nSecond.\n | 2019\nSales | 41"}
    assert (asked.queries, asked.qrels) == ({"q1": "What were sales?"}, {"q1": {"t1": 1}})
    path.write_text('{"a": 1}')
    with pytest.raises(DataError, match="is not TAT-QA's JSON"):
        build_evalset("tatqa", str(path), tmp_path)


QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n"


def write_beir(folder: Path, qrels: str = QRELS) -> Path:
    docs = [{"_id": "d1", "title": "Leases", "text": "end in 2031"}, {"_id": "d2", "text": "No."}]
    queries = [
        {"_id": "q1", "text": "When?", "metadata": {"ticker": "ABC"}},
        {"_id": "q2", "text": "Unjudged"},
    ]
    for name, records in (("corpus", docs), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)))
    (folder / "qrels").mkdir()
    (folder / "qrels/test.tsv").write_text(qrels)
    return folder


def test_beir_folder_runs_unchanged(tmp_path: Path) -> None:
    folder = write_beir(tmp_path)
    asked = build_evalset("beir", str(folder), tmp_path)
    assert asked.corpus == {"d1": "Leases end in 2031", "d2": "No."}
    assert (asked.queries, asked.groups) == ({"q1": "When?"}, {"q1": "ABC"})
    assert asked.qrels == {"q1": {"d1": 2}}
    by_file = build_evalset("beir", str(folder / "qrels/test.tsv"), tmp_path)
    assert by_file == asked


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        ("q1\td9\t1\n", "names d9"),
        ("q9\td1\t1\n", "names q9"),
        ("a\tb\tscore\nq1 d1 1\n", "Line 2 .* between tabs"),
        ("q1\td1\t0\n", "judges no passage above 0"),
    ],
)
def test_beir_judgements_that_do_not_fit_are_refused(
    qrels: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        build_evalset("beir", str(write_beir(tmp_path, qrels)), tmp_path)


@pytest.mark.shared_data
def test_the_shared_sets(shared_data: Path, tmp_path: Path) -> None:
    def sizes(asked: EvalSet) -> tuple[int, int]:
        assert asked.goldless == 0
        return len(asked.queries), len(asked.corpus)

    rows = str(shared_data / "financial_qa_10k.csv")
    assert sizes(build_evalset("finqa", str(shared_data / "eval/finqa"), tmp_path)) == (2014, 675)
    tatqa = shared_data / "eval/tatqa/tatqa_dataset_dev.json"
    assert sizes(build_evalset("tatqa", str(tatqa), tmp_path)) == (1668, 278)
    whole = build_evalset("grouped", rows, tmp_path)
    assert len(set(whole.groups.values())) == 69
    assert sizes(whole) == (6998, 6732)
