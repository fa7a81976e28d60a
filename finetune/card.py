"""Reports and provenance to a model card in the hub's format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from eval.compare import Comparison
from eval.report import Report
from eval.tables import comparison_table
from finetune.config import TrainConfig
from finetune.curves import PICTURE
from finetune.leakage import LEAKAGE_FILE
from finetune.provenance import RunTrace
from rag_app.index.served import MINILM

HUB_NAMES = {MINILM: "sentence-transformers/all-MiniLM-L6-v2"}
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
                _limits(config, run, tuned),
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


def base_name(base: str) -> str:
    """What a base is called to others: its hub name, or its folder's without the path."""
    known = HUB_NAMES.get(base, base)
    return known if _is_hub_name(known) else Path(known).name


def _data_name(config: TrainConfig) -> str:
    """Without the folders of a file: they are nobody's business but the trainer's."""
    return config.data if _is_hub_name(config.data) else Path(config.data).name


def _summary(config: TrainConfig, run: RunTrace) -> str:
    base = base_name(config.base)
    dims = ", ".join(map(str, run.dims))
    return (
        f"A sentence-transformers retriever for questions about company filings: {base} trained "
        f"by the recipe `{config.recipe}` on {run.data.pairs} question-passage pairs. It is a "
        f"Matryoshka model: the first {dims} coordinates are embeddings of their own."
    )


_HELD_OUT = {
    "notebook": "were held out by row, not by company: other questions about the same companies "
    "are in the training part, equal passages may be. Expect less on a company that it has not "
    "seen.",
    "context": "share no passage, nor one that is nearly equal, with the training part, but their "
    "companies are in it. Expect less on a company that it has not seen.",
    "company": "are about companies that are not in the training part.",
}
"""Kind of split → what is to be said of its test rows."""


def _limits(config: TrainConfig, run: RunTrace, tuned: Report) -> str:
    one_right = (
        "Each question counts one passage as right; an equal passage from another row counts as "
        "wrong."
        if config.split == "notebook"
        else "Passages that are equal, or nearly so, count as one."
    )
    long = (
        "It was trained on short passages and on chunks of whole filings."
        if config.serve_on
        else "It was trained on short passages; chunks of whole filings are longer."
    )
    chosen = (
        f"The step was chosen on {run.data.dev_rows} dev rows at {config.served_dim} dimensions"
        if config.evaluations
        else "The last step was kept"
    )
    return f"""## Limits

- The {run.data.test_rows} test rows {_HELD_OUT[config.split]}
- They were searched among {tuned.corpus} passages, those of all rows. `{LEAKAGE_FILE}` says what \
the parts share.
- {one_right}
- {long}
- English only. Texts are cut at the base's maximum length.
- {chosen}; no figure on the test rows chose anything.
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
    rows = "\n".join(f"| {name} | {value} |" for name, value in _facts(config, run).items())
    return f"""| | |
|---|---|
{rows}

`train_config.json` holds all of it, with library versions and the hashes of the data; \
`{PICTURE}` shows the run."""


def _facts(config: TrainConfig, run: RunTrace) -> dict[str, str]:
    """What is said of the run: a name and a value a row; fields that are off say nothing."""
    curve, data = run.curves[0], run.data
    length = f"{config.max_steps} steps" if config.max_steps else f"{config.epochs} epochs"
    dropped = f" ({data.dropped} rows with a blank text left out)" if data.dropped else ""
    pairs = config.batch_size * run.processes
    facts = {
        "loss": f"Matryoshka ({', '.join(map(str, run.dims))}) over {config.loss}, "
        f"{config.directions}, scale {config.scale:g}",
        "loss's anchor": "question" if config.columns[0] == "anchor" else "passage",
        "data": f"{_data_name(config)}, {data.pairs} pairs{dropped}, split by {data.split}",
        "length": f"{length}, {len(curve.losses)} optimizer steps, {run.training_s:.0f} s",
        "batch": f"{pairs} pairs, gradients of {config.accumulation_steps} added up; "
        f"{pairs - 1} in-batch negatives a pair; {run.padding:.0%} padding",
        "learning rate": f"{config.learning_rate:g}, {config.schedule}, "
        f"{config.warmup_share:.0%} warm-up, {config.optimizer}, "
        f"weight decay {config.weight_decay:g}",
        "precision": f"{run.precision} on {run.device}",
        "loss, mean of the first and last fifth": _loss(curve.losses),
        "seed": ", ".join(str(curve.seed) for curve in run.curves),
    }
    if config.principal_axes:
        facts["start"] = (
            "the base turned to its principal axes (PCA), which by itself lifts its small "
            "dimensions: part of what the table above shows of them is not training"
        )
    if config.packs:
        facts["packs"] = (
            "some of the pairs have for passage several short ones of one filing, as long as a "
            f"chunk ({config.pack_tokens} tokens); their losses differ from the others'"
        )
    if config.negatives:
        facts["hard negatives"] = (
            f"{config.negatives} a pair, none above {config.negative_ceiling:.0%} of the right "
            "passage's score"
        )
    if data.feedback_rows:
        facts["feedback"] = (
            f"{data.feedback_rows} of the pairs were marked in the chat and reviewed; each is in "
            f"an epoch {data.feedback_repeats} times"
        )
    if config.loss == "guided":
        guide = config.guide or "the untuned base"
        facts["guide"] = f"{guide}, margin {config.margin:.0%} of the right passage's score"
    if config.lora_rank:
        facts["low rank"] = f"{config.lora_rank}; the adapter is in the folder `adapter`"
    if config.base_share:
        facts["share of the base's weights"] = f"{config.base_share:.0%}"
    if run.dev_score is not None:
        facts["dev"] = (
            f"nDCG@10 at {config.served_dim} dimensions {curve.dev[0][1]:.4f} before the first "
            "step, "
            f"{run.dev_score:.4f} as kept (step "
            f"{', '.join(str(curve.kept_step) for curve in run.curves)}), over a part of the "
            "passages"
        )
    return facts | {"code": run.git_revision}


def _loss(losses: Sequence[float]) -> str:
    """Of single steps it says little: a batch of packs is harder than one of short passages."""
    few = max(1, len(losses) // 5)
    return f"{fmean(losses[:few]):.3f}, {fmean(losses[-few:]):.3f}"
