"""LlamaIndex as its guide puts it together: its splitter, its embedding, its Chroma store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from eval.benches.plain_chroma import plain_collection
from eval.stock import LEXICAL_TOKENS, OVERLAP
from rag_app.errors import DataError
from rag_app.index.chroma import BATCH_ROWS
from rag_app.index.embedder import Embedder, Vectors

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.schema import TextNode

    from eval.benches.plain_chroma import Collection

NEEDS = ("llama_index.embeddings.huggingface", "llama_index.vector_stores.chroma")
CHUNK_TOKENS = LEXICAL_TOKENS


def stock_embedding(embedder: Embedder, folder: Path) -> BaseEmbedding:
    """LlamaIndex's HuggingFaceEmbedding of the very same weights, written to ``folder`` for it.

    Raises:
        DataError: LlamaIndex's packages are not installed.
    """
    if not all(_is_installed(name) for name in NEEDS):
        raise DataError(
            "LlamaIndex's own embedding and Chroma store are not installed; run "
            "`pip install -c constraints.txt -e '.[bench]'`."
        )
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    embedder.model.save(str(folder), create_model_card=False)
    embedding: BaseEmbedding = HuggingFaceEmbedding(
        str(folder),
        query_instruction=embedder.spec.query_prompt or None,
        text_instruction=embedder.spec.document_prompt or None,
        device="cpu",
    )
    return embedding


def index_texts(folder: Path, texts: Mapping[str, str], embedding: BaseEmbedding) -> int:
    """Split, embed and store whole texts by name; returns the number of chunks."""
    from llama_index.core import Document, StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.vector_stores.chroma import ChromaVectorStore

    splitter = SentenceSplitter(chunk_size=CHUNK_TOKENS, chunk_overlap=OVERLAP[CHUNK_TOKENS])
    documents = [Document(text=text, metadata={"file": name}) for name, text in texts.items()]
    with plain_collection(folder) as collection:
        VectorStoreIndex.from_documents(
            documents,
            storage_context=StorageContext.from_defaults(
                vector_store=ChromaVectorStore(chroma_collection=collection)
            ),
            transformations=[splitter],
            embed_model=embedding,
        )
        return collection.count()


def retriever_over(
    collection: Collection,
    nodes: Sequence[TextNode],
    vectors: Vectors,
    embedding: BaseEmbedding,
    k: int,
) -> BaseRetriever:
    """LlamaIndex's retriever over chunks whose vectors are known: nothing is encoded for it."""
    from llama_index.core import VectorStoreIndex
    from llama_index.vector_stores.chroma import ChromaVectorStore

    store = ChromaVectorStore(chroma_collection=collection)
    for start in range(0, len(nodes), BATCH_ROWS):
        rows = slice(start, start + BATCH_ROWS)
        for node, vector in zip(nodes[rows], vectors[rows], strict=True):
            node.embedding = vector.tolist()
        store.add(list(nodes[rows]))
        for node in nodes[rows]:
            node.embedding = None
    index = VectorStoreIndex.from_vector_store(store, embed_model=embedding)
    return index.as_retriever(similarity_top_k=k)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False
