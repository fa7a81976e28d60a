"""Hits made by hand, with the metadata that the retriever gives them."""

from __future__ import annotations

from llama_index.core.schema import NodeWithScore, TextNode


def hit(
    text: str, *, prefix: str = "", heading: str = "", company: str = "Quill, Inc."
) -> NodeWithScore:
    """A hit of rank 1; ``prefix`` stands behind the passage's heading path."""
    path = " > ".join(
        part for part in (f"{company} 10-K fiscal 2023", "Item 7. MD&A", heading) if part
    )
    about = {
        "filing": "QUIL_10-K_2023-12-31",
        "company": company,
        "form": "10-K",
        "fiscal_year": 2023,
        "item": "7",
        "heading_path": heading,
        "prefix": f"{path}\n{prefix}" if prefix else path,
        "page": None,
        "rank": 1,
        "cosine": 0.5,
        "also_in": [],
    }
    node = TextNode(id_=f"QUIL_10-K_2023-12-31:7:{abs(hash(text)) % 10**6}-1", text=text)
    node.metadata = about
    return NodeWithScore(node=node, score=0.5)


def text_node(found: NodeWithScore) -> TextNode:
    """The hit's chunk."""
    assert isinstance(found.node, TextNode)
    return found.node
