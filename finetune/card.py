"""Reports and provenance to a model card in the hub's format."""

from __future__ import annotations

import json
from pathlib import Path

from eval.report import Comparison, Report, comparison_table
from finetune.config import TrainConfig
from finetune.provenance import RunTrace
from rag_app.index.models import DEFAULT_MODEL

HUB_NAMES = {DEFAULT_MODEL: "sentence-transformers/all-MiniLM-L6-v2"}
"""What the hub calls a base that has another name here."""


def model_card(
    name: str, config: TrainConfig, run: RunTrace, tuned: Report, comparison: Comparison
) -> str:
    """The README.md of a model folder: YAML head, then Markdown.

    Format: https://huggingface.co/docs/hub/model-cards
    """
    return (
        "\n\n".join(
            (
                _head(name, config, run, tuned),
                f"# {name}",
                _summary(config, run),
                "## How good it is",
                comparison_table(comparison),
                _limits(config, run),
                "## How to load it",
                _loading(run),
                "## How it was trained",
                _training(config, run),
            )
        )
        + "\n"
    )


def _head(name: str, config: TrainConfig, run: RunTrace, tuned: Report) -> str:
    """YAML; its strings are written as JSON, which is YAML and needs no rules of our own."""
    base = HUB_NAMES.get(config.base, config.base)
    lines = [
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        "language: en",
        "tags: [sentence-transformers, sentence-similarity, feature-extraction, matryoshka]",
        *([f"base_model: {json.dumps(base)}"] if _is_hub_name(base) else []),
        *([f"datasets: [{json.dumps(config.data)}]"] if _is_hub_name(config.data) else []),
        "model-index:",
        f"- name: {json.dumps(name)}",
        "  results:",
    ]
    for dim in run.dims:
        lines += [
            "  - task: {type: information-retrieval, name: Information Retrieval}",
            f"    dataset: {{type: {tuned.protocol}, name: {tuned.protocol} at {dim} dimensions}}",
            "    metrics:",
            *(
                f"    - {{type: {json.dumps(metric)}, value: {value:.4f}}}"
                for metric, value in tuned.metrics[str(dim)].items()
            ),
        ]
    return "\n".join(("---", *lines, "---"))


def _is_hub_name(name: str) -> bool:
    return name.count("/") == 1 and name[0] not in "./~" and not name.endswith((".csv", ".jsonl"))


def _data_name(config: TrainConfig) -> str:
    """Without the folders of a file: they are nobody's business but the trainer's."""
    return config.data if _is_hub_name(config.data) else Path(config.data).name


def _summary(config: TrainConfig, run: RunTrace) -> str:
    base = HUB_NAMES.get(config.base, config.base)
    dims = ", ".join(map(str, run.dims))
    return (
        f"A sentence-transformers retriever for questions about company filings: {base} trained "
        f"by the recipe `{config.recipe}` on {run.data.pairs} question-passage pairs. It is a "
        f"Matryoshka model: the first {dims} coordinates are embeddings of their own."
    )


def _limits(config: TrainConfig, run: RunTrace) -> str:
    return f"""## Limits

- The {run.data.test_rows} test rows were held out by row, not by company: other questions about \
the same companies are in the training part, equal passages may be. Expect less on a company that \
it has not seen.
- Each question counts one passage as right; an equal passage from another row counts as wrong.
- It was trained on short passages; chunks of whole filings are longer.
- English only. Texts are cut at the base's maximum length.
- The last step was kept; no figure on the test rows chose anything.
- The data ({_data_name(config)}) may carry no licence: see its source before passing this on."""


def _loading(run: RunTrace) -> str:
    dim = run.dims[min(1, len(run.dims) - 1)]
    prompts = (
        f"Queries are prefixed with {json.dumps(run.query_prompt)}, passages with "
        f"{json.dumps(run.document_prompt)}; `encode_query` and `encode_document` do it."
        if run.query_prompt or run.document_prompt
        else "Neither queries nor passages have a prompt."
    )
    return f"""```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder", truncate_dim={dim})
queries = model.encode_query(["What was the revenue?"], normalize_embeddings=True)
passages = model.encode_document(["Revenue was 12 million."], normalize_embeddings=True)
print(queries @ passages.T)
```

`normalize_embeddings=True` is needed: a truncated vector is shorter than 1 without it. {prompts}"""


def _training(config: TrainConfig, run: RunTrace) -> str:
    length = f"{config.max_steps} steps" if config.max_steps else f"{config.epochs} epochs"
    dropped = f" ({run.data.dropped} rows with a blank text left out)" if run.data.dropped else ""
    return f"""| | |
|---|---|
| loss | Matryoshka ({", ".join(map(str, run.dims))}) over {config.loss} |
| loss's anchor | {"question" if config.columns[0] == "anchor" else "passage"} |
| data | {_data_name(config)}, {run.data.pairs} pairs{dropped} |
| length | {length}, {len(run.losses)} optimizer steps, {run.training_s:.0f} s |
| batch | {config.batch_size} pairs, gradients of {config.accumulation_steps} added up; \
{config.batch_size - 1} negatives a pair |
| learning rate | {config.learning_rate:g}, {config.schedule}, \
{config.warmup_share:.0%} warm-up, {config.optimizer} |
| precision | {run.precision} on {run.device} |
| loss, first and last step | {run.losses[0]:.3f}, {run.losses[-1]:.3f} |
| seed | {config.seed} |
| code | {run.git_revision} |

`train_config.json` holds all of it, with library versions and the hashes of the data."""
