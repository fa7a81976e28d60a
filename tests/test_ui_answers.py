"""An answer's Markdown: markers open their passage, statements without one are marked; links."""

from __future__ import annotations

from hypothesis import given
from passages import hit, text_node
from test_ui_markdown import HOSTILE, LIVE_IN_BOTH, live

from rag_app.chat.citations import cite
from rag_app.records import Answer
from rag_app.ui.answers import NO_SOURCE, cited_by, linked_markdown, opened_by
from rag_app.ui.links import place_link
from rag_app.ui.passages import passage_markdown, supporting

HITS = (hit("Orders rose to $5."), hit("Copper is short."))
SEC = "https://www.sec.gov/Archives/edgar/data/1/000000000123000001/q-2023.htm"


def answer(text: str, llm: str = "smollm2") -> Answer:
    shown, citations = cite(text, HITS)
    return Answer(shown, citations, (), HITS, "minilm", 384, llm)


def link(marker: int, count: int, number: int = 1) -> str:
    return f'[\\[{marker}\\]](#passage-{number}-{count} "Show passage {marker}")'


def test_each_marker_is_a_link_that_names_its_statement() -> None:
    drawn = answer("Orders rose [1, 2]. Copper is short [2].")
    assert linked_markdown(drawn, 7) == (
        f"Orders rose {link(1, 1, 7)}{link(2, 2, 7)}. Copper is short {link(2, 3, 7)}."
    )
    assert opened_by("#passage-7-3") == (7, 3)
    assert [(marker, each.said) for marker, each in cited_by(drawn)][2] == (2, "Copper is short.")
    assert opened_by("#passage-7") is opened_by("https://e.x/#passage-7-3") is None


def test_a_statement_without_a_source_wears_a_badge_of_words() -> None:
    drawn = linked_markdown(answer("Orders rose [1]. The board likes whales a lot."), 1)
    assert drawn == f"Orders rose {link(1, 1)}. The board likes whales a lot.{NO_SOURCE}"
    assert "no source" in NO_SOURCE


def test_a_row_without_a_source_wears_the_badge_in_its_last_cell() -> None:
    text = "Orders rose [1]:\n\n| | 2023 |\n|---|---|\n| Orders | 5.1 |"
    assert linked_markdown(answer(text), 1).endswith(f"| Orders | 5.1 {NO_SOURCE}|")


def test_no_link_or_image_of_the_models_comes_alive() -> None:
    text = (
        "See ![1](https://e.x/a.png), [the report][1] and [1](https://e.x) [1].\n\n[1]: https://e.x"
    )
    drawn = linked_markdown(answer(text), 1)
    assert not live(drawn, "![")
    assert "](https" not in drawn and not live(drawn, "]: ")
    assert drawn.count("](#passage-1-") == 5


@given(HOSTILE)
def test_only_our_own_links_are_alive(text: str) -> None:
    drawn = linked_markdown(answer(f"{text} [1]"), 1)
    count = len(cited_by(answer(f"{text} [1]")))
    for number in range(1, count + 1):
        for marker in (1, 2):
            drawn = drawn.replace(link(marker, number), "")
    for mark in LIVE_IN_BOTH:
        assert not live(drawn.replace(NO_SOURCE, ""), mark), mark


def test_what_supports_is_lit_and_bold_in_sentences_and_rows() -> None:
    node = text_node(hit("Copper is short. Orders rose to $5 from $4."))
    parts = supporting(node, ["Orders rose to $5."])
    assert passage_markdown(node, parts) == (
        "Copper is short. :yellow-background[**Orders rose to \\$5 from \\$4.**]"
    )
    node = text_node(hit("|  | 2023 |\n| a \\| b | 5.1 |\n| c | 6.2 |"))
    parts = supporting(node, ["The b was 5.1 in 2023."])
    assert passage_markdown(node, parts).splitlines()[2:] == [
        "| :yellow-background[**a \\| b**] | :yellow-background[**5.1**] |",
        "| c | 6.2 |",
    ]


def test_a_filings_own_private_characters_light_nothing() -> None:
    assert passage_markdown(text_node(hit("a \ue000b\ue001 c"))) == "a b c"


def test_a_link_goes_to_the_place_in_the_secs_document_only() -> None:
    node = text_node(hit("Orders rose - to $5."))
    node.metadata["anchor"] = "i8ce5_40"
    assert place_link(SEC, node, "Orders rose - to $5, and more") == (
        f"{SEC}#i8ce5_40:~:text=Orders%20rose%20%2D%20to%20%245%2C%20and%20more"
    )
    assert place_link(SEC, node, "") == f"{SEC}#i8ce5_40"
    node.metadata["page"] = 38
    assert place_link(SEC, node, "Orders") == f"{SEC}#page=38"
    for source in (
        "filings/q.html",
        SEC.replace("https", "http"),
        "https://sec.gov.evil.example/q.htm",
        "https://evil.example/?sec.gov",
        "javascript://www.sec.gov/%0Aalert(1)",
    ):
        assert place_link(source, node, "Orders") == ""
