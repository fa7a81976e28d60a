"""Row ``ingest``: filings to an index that answers, against LlamaIndex's stock pipeline."""

from __future__ import annotations

from pathlib import Path

from eval.benches.clocks import Clocks, clocks, median_of
from eval.benches.measured import Aim, Measured
from eval.benches.plain_llama import CHUNK_TOKENS, index_texts, stock_embedding
from eval.benches.workbench import Sizes, Workbench
from eval.stock import plain_text
from rag_app.errors import DataError
from rag_app.ingest import find_files, ingest
from rag_app.library import Library
from rag_app.settings import processor_threads

HTML = (".htm", ".html")
TIMES_FASTER = 4


def time_ingest(bench: Workbench) -> Measured:
    """Ingest the files into a fresh home and let the stock pipeline index them, in turns.

    Both models are loaded and warm. Ours reads sections, tables and facts, the stock pipeline
    plain text; ours encodes with the encoder of the settings, the stock one with torch.

    Raises:
        DataError: no folder of filings is named, or it has too few; LlamaIndex's packages lack.
    """
    files = wanted_files(bench.sizes)
    bench.embedder.encode_documents(["warm up"])
    taken: dict[str, list[Clocks]] = {"ours": [], "stock": []}
    counts: dict[str, int] = {}
    encoding: list[float] = []
    with bench.folder() as model:
        embedding = stock_embedding(bench.embedder, model)
        embedding.get_text_embedding("warm up")
        for _ in range(_rounds(bench)):
            with bench.folder() as home, bench.folder() as store:

                def ours(home: Path = home) -> None:
                    report = ingest(
                        files,
                        Library(home),
                        bench.embedder,
                        bench.dim,
                        max_file_mb=bench.settings.max_file_mb,
                        workers=processor_threads(),
                    )
                    counts["ours"] = report.chunk_count
                    encoding.append(report.seconds)

                def stock(store: Path = store) -> None:
                    texts = {file.name: plain_text(file) for file in files}
                    counts["stock"] = index_texts(store, texts, embedding)

                taken["ours"].append(clocks(ours))
                taken["stock"].append(clocks(stock))
    both = {name: median_of(each) for name, each in taken.items()}
    by_clock, by_processor = both["stock"] / both["ours"]
    return Measured(
        f"{len(files)} filings, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB of HTML, "
        f"{bench.embedder.spec.name}, {processor_threads()} threads, rounds: {_rounds(bench)}. "
        f"Stock: SentenceSplitter of {CHUNK_TOKENS} tokens, HuggingFaceEmbedding (torch), "
        f"ChromaVectorStore. Ours: encoder {bench.embedder.encoder.name} "
        f"{bench.embedder.encoder.precision}, index at {bench.dim} dimensions, BM25 included.",
        {
            "stock": both["stock"].figures() | {"chunks": counts["stock"]},
            "ours": both["ours"].figures()
            | {"chunks": counts["ours"], "of it encoding and indexing, seconds": encoding[-1]},
            "stock / ours": {"seconds": by_clock, "processor seconds": by_processor},
        },
        (Aim("times as fast as the stock pipeline", by_clock, TIMES_FASTER),),
    )


def _rounds(bench: Workbench) -> int:
    """Encoding with torch takes minutes: a fifth of the rounds, at least one."""
    return max(1, bench.sizes.rounds // 5)


def wanted_files(sizes: Sizes) -> list[Path]:
    """The first HTML filings of the folder that is named.

    Raises:
        DataError: none is named, or it has too few.
        FilingError: there is no such folder.
    """
    if sizes.filings is None:
        raise DataError(
            "The row ingest reads filings: name a folder of HTML filings with --filings FOLDER."
        )
    files = [file for file in find_files([sizes.filings]) if file.suffix.lower() in HTML]
    if len(files) < sizes.filing_count:
        raise DataError(
            f"{sizes.filings} holds {len(files)} HTML filings and {sizes.filing_count} are to be "
            "ingested; name another folder, or give a smaller --count."
        )
    return files[: sizes.filing_count]
