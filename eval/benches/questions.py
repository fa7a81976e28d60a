"""Questions to time with: a run of words out of a random chunk each, asked of its company."""

from __future__ import annotations

import random

from rag_app.library import Library

WORDS = 8


def questions_of(library: Library, count: int, seed: int = 0) -> list[str]:
    """``count`` questions, the same for the same library and seed; answers are not judged."""
    rng = random.Random(seed)
    versions = list(library.versions().items())
    questions: list[str] = []
    while len(questions) < count:
        key, version = rng.choice(versions)
        node = rng.choice(list(library.chunks(key, version).values()))
        words = [word for word in node.text.split() if word.isalpha()]
        if len(words) < WORDS:
            words += ["total", "revenue", "in", "the", "last", "year", "of", "it"]
        start = rng.randrange(len(words) - WORDS + 1)
        company, said = node.metadata["company"], " ".join(words[start : start + WORDS])
        questions.append(f"What does {company} say about {said}?")
    return questions
