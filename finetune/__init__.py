"""Train a Matryoshka sentence embedder on your own questions."""
