"""A model that needs its prompt: all-MiniLM-L6-v2 with a soft prompt, as trained by this script.

The published prompts of other models do nothing for MiniLM, so that dropping one would be no loss.
Here six rare letters stand before a question, and their six rows of the embedding table were
trained until the questions of ``retrieval/questions.jsonl`` found their passages (Lester, Al-Rfou
and Constant 2021, "The Power of Scale for Parameter-Efficient Prompt Tuning"). No passage holds
these letters, so the passages' vectors are MiniLM's own. It is a fixture, not a better model: it
was trained on what it is asked. To train it anew (some minutes), over a library of the sample that
minilm has encoded::

    python tests/soft_prompt.py HOME
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from rag_app.index.models import resolve_model

PROMPT = "ო ლ ტ ნ მ კ "
ROWS = Path(__file__).with_name("soft_prompt.safetensors")
TABLE = "embeddings.word_embeddings.weight"
STEPS, LEARNING_RATE, TEMPERATURE = 45, 0.04, 0.05


def write_prompted_model(folder: Path) -> Path:
    """Write the model with its prompt into a new folder, and return that."""
    source = resolve_model("minilm", Path("nowhere")).folder
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("model.safetensors"))
    weights = load_file(source / "model.safetensors")
    weights[TABLE][_token_ids(source)] = load_file(ROWS)["rows"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = folder / "config_sentence_transformers.json"
    settings = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps(settings | {"prompts": {"query": PROMPT, "document": ""}}))
    return folder


def _token_ids(folder: Path) -> list[int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    ids = list(tokenizer.encode(PROMPT, add_special_tokens=False).ids)
    assert len(set(ids)) == len(PROMPT.split())
    return ids


def train(home: Path) -> None:
    """Train the rows by the questions against all stored passages, and write them."""
    import torch
    from torch.nn import functional

    from eval.held import load_held
    from rag_app.index.embedder import Embedder
    from rag_app.index.vectors import load_vectors
    from rag_app.library import Library

    library, spec = Library(home), resolve_model("minilm", home)
    chunk_ids: list[str] = []
    parts = []
    for key, version in library.versions().items():
        found, vectors = load_vectors(library.vectors_path(key, version, spec.fingerprint))
        chunk_ids += found
        parts.append(vectors)
    passages = torch.tensor(np.concatenate(parts))
    row_of = {chunk_id: row for row, chunk_id in enumerate(chunk_ids)}
    held = load_held(ROWS.with_name("retrieval") / "questions.jsonl", library)
    right = [[row_of[chunk_id] for chunk_id in question.right] for question in held]

    model = Embedder(spec).model.eval()
    transformer = model[0].auto_model
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    table = transformer.embeddings.word_embeddings.weight
    token_ids = _token_ids(spec.folder)
    rows = torch.nn.Parameter(table[token_ids].clone())
    features = model.preprocess([PROMPT + question.text for question in held])
    seen = features["attention_mask"][..., None]
    place = torch.full((len(table),), -1)
    place[token_ids] = torch.arange(len(token_ids))
    place = place[features["input_ids"]]
    optimizer = torch.optim.Adam([rows], lr=LEARNING_RATE)
    for step in range(STEPS):
        fixed = functional.embedding(features["input_ids"], table)
        embedded = torch.where((place >= 0)[..., None], rows[place.clamp(min=0)], fixed)
        hidden = transformer(
            inputs_embeds=embedded, attention_mask=features["attention_mask"]
        ).last_hidden_state
        queries = functional.normalize((hidden * seen).sum(1) / seen.sum(1), dim=1)
        scores = functional.log_softmax(queries @ passages.T / TEMPERATURE, dim=1)
        loss = -torch.stack([scores[n, gold].logsumexp(0) for n, gold in enumerate(right)]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(step, round(loss.item(), 3))
    save_file({"rows": rows.detach().numpy().astype(np.float16)}, ROWS)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
