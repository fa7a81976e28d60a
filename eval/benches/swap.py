"""Row ``swap``: another dimension out of the stored vectors, against encoding every chunk."""

from __future__ import annotations

from eval.benches.clocks import clocks
from eval.benches.measured import Aim, Measured
from eval.benches.workbench import Workbench, copy_filings
from rag_app.index.build import build_index, encode_missing
from rag_app.progress import encoding_bar
from rag_app.sealed import writer_lock

TIMES_FASTER = 200


def time_swap(bench: Workbench) -> Measured:
    """Encode a copy of the library, index it at full width, then time the swap.

    The model is loaded before the clock starts; a swap pays for Chroma, verification, sealing.

    Raises:
        LibraryError: the library is damaged.
    """
    embedder, width = bench.embedder, bench.embedder.spec.width
    embedder.encode_queries(["warm up"])
    with bench.home() as home, encoding_bar() as on_progress:
        copy = copy_filings(bench.library, home)
        with writer_lock(home):
            encoding = clocks(lambda: encode_missing(copy, embedder, on_progress))
            build_index(copy, embedder, width)
            swap = clocks(lambda: build_index(copy, embedder, bench.dim))
        chunks = sum(stored.chunk_count for stored in copy.filings().values())
    by_clock, by_processor = encoding / swap
    return Measured(
        f"{chunks} chunks, {embedder.spec.name}: encoding them all with "
        f"{embedder.encoder.name}, and a swap from {width} to {bench.dim} dimensions.",
        {
            "encoding": encoding.figures(),
            "swap": swap.figures(),
            "encoding / swap": {"seconds": by_clock, "processor seconds": by_processor},
        },
        (Aim("times as fast as encoding", by_clock, TIMES_FASTER),),
    )
