"""``eval report``: curves, charts and the page."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import re
from pathlib import Path

import pytest
from reports import GROUPS, make_report

from eval.__main__ import main
from eval.charts import DARK, as_png, as_svg, cost_chart, dimension_chart
from eval.curves import base_within, company_gains, curves_of, rank_moves
from eval.latency import read_latency, time_search
from eval.metrics import means
from eval.page import NO_BASE, report_sections
from eval.page_files import html_block
from eval.report import Report, save_report
from eval.stage_file import read_stages
from rag_app.errors import DataError

BASE, TUNED = make_report("plain", 0.0), make_report("mine", 0.1)
STAGES = {
    "stages": [
        {"name": "dense", "system": "128", "base": 0.5, "tuned": 0.6, "interval": [0.05, 0.15]},
        {
            "name": "fused",
            "system": "fused@128",
            "base": 0.7,
            "tuned": 0.7,
            "interval": [-0.1, 0.1],
        },
    ]
}


def with_baselines(report: Report) -> Report:
    scores = dict(make_report("x", 0.0, ("base@128", "base@64", "pca@64", "bm25")).per_query)
    return dataclasses.replace(
        report,
        per_query=report.per_query | scores,
        metrics=report.metrics | {name: means(values) for name, values in scores.items()},
    )


def test_curves_hold_means_with_intervals_and_their_roles() -> None:
    curves = curves_of([BASE, with_baselines(TUNED)], "ndcg@10")
    assert [(curve.name, curve.role) for curve in curves] == [
        ("plain", "base"),
        ("mine", "tuned"),
        ("bm25", "baseline"),
        ("pca", "baseline"),
    ]
    assert list(curves[0].points) == [128, 64]
    assert list(curves[2].points) == [0]
    point = curves[1].points[64]
    assert point.value == pytest.approx(TUNED.metrics["64"]["ndcg@10"])
    assert point.low < point.value < point.high
    assert curves_of([BASE], "ndcg@10", filtered=True) == []
    with pytest.raises(DataError, match="has no map"):
        curves_of([BASE], "map")


def test_a_report_brings_its_base_along() -> None:
    base = base_within(with_baselines(TUNED))
    assert base is not None
    assert base.metrics == {dim: BASE.metrics[dim] for dim in ("128", "64")}
    assert base_within(TUNED) is None


def ranked(model: str, ranks: list[int]) -> Report:
    """A report in which question i has its first right passage at ``ranks[i]``, 0 for nowhere."""
    scores = {"mrr@10": {str(i): 1 / rank if rank else 0.0 for i, rank in enumerate(ranks)}}
    return dataclasses.replace(
        BASE,
        model=model,
        per_query={"64": scores},
        metrics={"64": means(scores)},
        groups={str(i): f"C{i % 2}" for i in range(len(ranks))},
    )


def test_rank_moves_count_questions_by_step() -> None:
    moves = rank_moves(ranked("a", [1, 3, 7, 0, 5]), ranked("b", [1, 1, 10, 2, 0]), "64")
    assert moves.counts[0] == (1, 0, 0, 0, 0)
    assert moves.counts[1][0] == 1  # 3 to 1
    assert moves.counts[3][3] == 1  # 7 to 10
    assert moves.counts[4][1] == 1  # nowhere to 2
    assert moves.counts[2][4] == 1  # 5 to nowhere
    assert (moves.up, moves.down) == (2, 1)
    with pytest.raises(DataError, match="no mrr@10 of 32"):
        rank_moves(BASE, TUNED, "32")


def test_companies_are_ordered_by_their_gain() -> None:
    raised = {id_: 0.5 if GROUPS[id_] == "C2" else 0.0 for id_ in GROUPS}
    scores = {
        system: {
            name: {id_: value + raised[id_] for id_, value in values.items()}
            for name, values in metrics.items()
        }
        for system, metrics in BASE.per_query.items()
    }
    found = company_gains(BASE, dataclasses.replace(BASE, per_query=scores), "ndcg@10")
    assert found is not None
    assert found.companies == ("C2", "C0", "C1", "C3")
    assert found.gains[0] == (pytest.approx(0.5), pytest.approx(0.5))
    assert found.questions == (3, 3, 3, 3)
    one = dataclasses.replace(BASE, groups=dict.fromkeys(GROUPS, ""))
    assert company_gains(one, one, "ndcg@10") is None


def test_charts_are_png_and_svg_without_a_time_in_them() -> None:
    curves = curves_of([BASE, TUNED], "ndcg@10")
    assert as_png(cost_chart(curves, {128: 0.2, 64: 0.1}, "ndcg@10", DARK))[:4] == b"\x89PNG"
    first, again = (as_svg(dimension_chart(curves, "ndcg@10")) for _ in range(2))
    assert first == again
    assert b"<svg" in first


def test_latency_is_timed_or_read(tmp_path: Path) -> None:
    timed = time_search([64, 8], 500)
    assert set(timed.query_ms) == {64, 8}
    assert min(timed.query_ms.values()) > 0
    assert "timed while this page was made" in timed.how
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"query_ms": {"64": 1.5}, "how": "Chroma, warm."}))
    assert read_latency(path).query_ms == {64: 1.5}
    assert read_latency(path).how == "Latency is bench.json's: Chroma, warm."
    path.write_text("{}")
    with pytest.raises(DataError, match="no bench of query latency"):
        read_latency(path)


def test_stages_are_read_with_their_names(tmp_path: Path) -> None:
    path = tmp_path / "stages.json"
    path.write_text(json.dumps(STAGES))
    dense, fused = read_stages(path)
    assert (dense.label, fused.label) == ("dense 128", "fused@128")
    assert dense.gain == pytest.approx(0.1)
    for bad in ('{"stages": []}', '{"stages": [{"name": "x"}]}', "[]"):
        path.write_text(bad)
        with pytest.raises(DataError, match="holds no stages"):
            read_stages(path)


def test_markdown_becomes_escaped_html() -> None:
    assert html_block("a **b** `c` <i>") == ("<p>a <strong>b</strong> <code>c</code> &lt;i&gt;</p>")
    table = html_block("| a | b |\n|---|---:|\n| <x> | 1 |\n\n".strip() + "\nafter")
    assert '<td class="left">&lt;x&gt;</td><td>1</td>' in table
    assert table.endswith("<p>after</p>")


class Page(html.parser.HTMLParser):
    """What a page asks for: tags, and where images and links come from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "srcset", "href")]


def test_the_page_is_self_contained_and_has_no_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, tuned, stages, out = (
        tmp_path / name for name in ("base.json", "tuned.json", "stages.json", "page")
    )
    save_report(dataclasses.replace(BASE, model="<script>plain"), base)
    save_report(TUNED, tuned)
    stages.write_text(json.dumps(STAGES))
    command = ["report", str(base), str(tuned), "--out", str(out)]
    assert main([*command, "--stages", str(stages)]) == 0
    assert "report.html" in capsys.readouterr().out
    names = ("companies", "cost", "dimensions", "moves", "stages")
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [
            "report.html",
            "report.md",
            "summary.json",
            *(f"{n}.{end}" for n in names for end in ("png", "svg")),
        ]
    )
    text = (out / "report.html").read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert page.tags.count("img") == len(names)
    assert len(page.sources) == 2 * len(names)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    markdown = (out / "report.md").read_text()
    assert set(re.findall(r"\]\((.+?)\)", markdown)) == {f"{name}.png" for name in names}
    assert "| dense 128 | 0.5000 | 0.6000 | +0.1000 |" in markdown


def test_one_report_is_shown_alone_or_beside_the_base_that_it_holds() -> None:
    latency = time_search([64], 50)
    alone = report_sections([TUNED], "ndcg@10", latency)
    assert NO_BASE in alone[0].parts
    assert [section.title for section in alone][-1] == "All scores"
    both = report_sections([with_baselines(TUNED)], "ndcg@10", latency)
    assert {"Rank moves", "Company by company"} <= {section.title for section in both}
    assert NO_BASE not in both[0].parts
    other = dataclasses.replace(BASE, evalset_sha256="0" * 64)
    with pytest.raises(DataError, match="cannot be paired"):
        report_sections([other, TUNED], "ndcg@10", latency)


def test_a_folder_that_cannot_be_written_is_said_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_report(BASE, tmp_path / "base.json")
    (tmp_path / "taken").write_text("a file")
    assert main(["report", str(tmp_path / "base.json"), "--out", str(tmp_path / "taken")]) == 2
    assert "cannot be written" in capsys.readouterr().err
