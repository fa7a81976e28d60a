"""A numeric run to its model card, in the hub's format."""

from __future__ import annotations

from finetune.card import base_name
from finetune.numeric_config import NumericConfig
from finetune.numeric_data import NumericData


def numeric_card(name: str, config: NumericConfig, data: NumericData, table: str) -> str:
    """The README.md of a numeric model's folder: YAML head, then Markdown.

    Format: https://huggingface.co/docs/hub/model-cards
    """
    base = base_name(config.base)
    dims = ", ".join(map(str, config.dims))
    blocks = ", ".join(
        f"{dim} from {start}" for dim, start in zip(config.dims, config.starts, strict=True)
    )
    return f"""---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
language: en
tags: [sentence-transformers, sentence-similarity, feature-extraction, regression]
---

# {name}

{base} with a linear projection to each of {dims} coordinates and a regression head on each, by \
the recipe `numeric`: the heads tell the size of the answer to `Question: … Context: …`, on the \
scale sign(x)·log(|x| + 1), z-scored by the training answers (mean {data.scaling.mean:.4f}, \
deviation {data.scaling.deviation:.4f}).

## How good it is

Errors on {len(data.test.texts)} FinQA test questions, in deviations of the training answers (z) \
and in logarithms; the interval is a bootstrap over pages.

{table}

## Limits

- A head guesses the size of an answer from the words; it does not calculate. Never show its \
number as a fact.
- Trained on {len(data.train.texts)} questions, the epoch chosen on {len(data.dev.texts)}; \
{data.leaked} questions that share a page or their words with a later part were left out, \
{data.not_numbers} answered yes or no likewise.
- Texts are cut at {config.max_tokens} tokens.

## How to load it

The vector holds the dimensions side by side: {blocks}.

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
vectors = model.encode_document(["Revenue was 12 million."])
start, dim = {config.starts[-1]}, {config.dims[-1]}
part = vectors[:, start : start + dim]  # divide its rows by their lengths
```

With this project, numbers too:

```python
from finetune.numeric_model import NumericModel

model = NumericModel.load("{name}", home)
said = model.predict(["Question: What was revenue? Context: Revenue was 12 million."])
said.embeddings[{config.dims[0]}], said.answers[{config.dims[0]}]
```

`train_config.json` holds the settings, versions, losses and hashes of the data; \
`numeric_figures.json` every test question's error.
"""
