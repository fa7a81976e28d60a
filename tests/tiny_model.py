"""A small untrained model (dims 128 and 64), rows, and runs of both, for tests that train."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

from finetune.config import TrainConfig, load_config
from finetune.curves import Curve

COLUMNS = ("question", "answer", "context", "ticker", "filing")
COMPANIES = ("Birch", "Cobalt", "Delta", "Elm", "Flint", "Grove")
THINGS = (
    *("umbrellas", "bicycles", "lamps", "kettles", "ladders"),
    *("canoes", "pianos", "tents", "boots", "ovens"),
)

WIDTH = 128
WORDS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *(word.lower() for word in (*COMPANIES, *THINGS)),
    *("how", "many", "did", "ship", "?", "shipped", "thousand", "in", "the", "year", "."),
    *map(str, range(100)),
)


def build_tiny_model(folder: Path, *, dropout: float = 0.0) -> Path:
    """Write the model with fixed random weights; returns ``folder``."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    plain = folder / "plain"
    tokens = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "[UNK]"))
    tokens.normalizer = normalizers.Lowercase()
    tokens.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokens.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    ).save_pretrained(plain)
    BertModel(
        BertConfig(
            vocab_size=len(WORDS),
            hidden_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=WIDTH,
            max_position_embeddings=64,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
    ).save_pretrained(plain)
    body = Transformer(str(plain))
    model = SentenceTransformer(modules=[body, Pooling(WIDTH)], device="cpu")
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


def build_tiny_cross_encoder(folder: Path) -> Path:
    """Write a CrossEncoder with fixed random weights; returns its folder."""
    import shutil

    import torch
    from transformers import BertConfig, BertForSequenceClassification

    build_tiny_model(folder)
    shutil.copytree(folder / "plain", folder / "cross")
    torch.manual_seed(1)
    BertForSequenceClassification(
        BertConfig(
            vocab_size=len(WORDS),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.5,
            num_labels=1,
        )
    ).save_pretrained(folder / "cross")
    return folder / "cross"


def write_rows(path: Path, *, blank_last: bool = False) -> Path:
    """60 rows, one a company and thing; with ``blank_last`` the last has no question."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, (company, thing) in enumerate(itertools.product(COMPANIES, THINGS)):
            question = f"How many {thing} did {company} ship?"
            context = f"{company} shipped {number + 11} thousand {thing} in the year."
            writer.writerow(
                [
                    "" if blank_last and number == 59 else question,
                    f"{number + 11} thousand",
                    context,
                    company,
                    "2023_10K",
                ]
            )
    return path


def settings(material: Path, **changes: Any) -> TrainConfig:
    """40 training pairs: 5 steps an epoch, each followed by a checkpoint."""
    given = {
        "base": str(material / "model"),
        "data": str(material / "rows.csv"),
        "batch_size": 8,
        "epochs": 2,
        "learning_rate": 1e-3,
        "evaluations": 2,
        "checkpoint_minutes": 0.0,
        "principal_axes": False,
        "packs": 0,
    }
    return load_config("ours", given | changes)


def run(config: TrainConfig, home: Path, name: str, **options: Any) -> list[str]:
    """Train, and return what was said."""
    from finetune.pipeline import finetune

    said: list[str] = []
    finetune(config, home, name, say=said.append, **options)
    return said


def curve_of(home: Path, name: str) -> Curve:
    """What a trained model's run went through."""
    record = json.loads((home / "models" / name / "train_config.json").read_text("utf-8"))
    return Curve.from_record(record["run"]["curves"][0])
