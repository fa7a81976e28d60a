"""Vectors, Chroma and BM25 indexes, and the retriever over them."""
