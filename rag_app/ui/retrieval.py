"""The sidebar's part on retrieval: model, dimension with its figures, stages of the search."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from rag_app.errors import RagError
from rag_app.index.models import known_models
from rag_app.index.served import MINILM
from rag_app.settings import Settings
from rag_app.ui import state
from rag_app.ui.kept import KEPT
from rag_app.ui.markdown import written_markdown
from rag_app.ui.measured import figures_markdown, measured

NOT_MEASURED = (
    "MB is the size of the index. Quality and speed are not measured here: run "
    "`python -m eval run` and `python -m eval report`, with `--out` in {folder}."
)
EXPLAINED = (
    "{metric} of the embeddings alone on {queries} questions ({protocol}), ms a search, MB of "
    "the index; from the report {report}."
)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How passages are looked for; ``settings`` are the server's, but for the stages."""

    model: str
    dim: int
    settings: Settings


def draw_retrieval(chunks: int) -> Retrieval:
    """Draw the choices; ``chunks`` are those of the library.

    Raises:
        RagError: the chosen model cannot be read.
    """
    st.subheader("Retriever", anchor=False)
    model = _model()
    spec = state.embedder(model).spec
    wanted = state.settings().dim
    dim = st.selectbox(
        "Dimension",
        spec.dims,
        index=spec.dims.index(wanted) if wanted in spec.dims else 0,
        key="dim",
        persist_state=KEPT,
        help="Coordinates kept of each embedding: fewer are faster and smaller. A change "
        "derives the index from the stored vectors, without encoding.",
    )
    _draw_figures(spec.fingerprint, spec.dims, dim, chunks)
    with st.expander("Stages of the search"):
        return Retrieval(model, dim, _stages(state.settings(), full=dim == spec.dims[0]))


def _model() -> str:
    settings = state.settings()
    names = list(dict.fromkeys([settings.model, *known_models(settings.home)]))
    tuned = set(known_models(settings.home)) - {MINILM}
    return st.selectbox(
        "Model",
        names,
        format_func=lambda name: f"{name} ({'tuned' if name in tuned else 'base'})",
        key="model",
        persist_state=KEPT,
        help="A model that never read the library encodes it once, at the first question.",
    )


def _draw_figures(fingerprint: str, dims: tuple[int, ...], chosen: int, chunks: int) -> None:
    home = state.settings().home
    try:
        found = measured(home, fingerprint)
    except RagError as error:
        st.caption(written_markdown(str(error)))
        return
    st.markdown(figures_markdown(found, dims, chosen, chunks))
    if found is None:
        st.caption(NOT_MEASURED.format(folder=f"`{home / 'reports'}`"))
        return
    st.caption(
        written_markdown(
            EXPLAINED.format(
                metric=found.metric,
                queries=found.queries,
                protocol=found.protocol,
                report=found.report,
            )
        )
    )


def _stages(settings: Settings, *, full: bool) -> Settings:
    """The settings with the stages that are ticked; ``full``: at the model's full width."""
    chosen: dict[str, bool | str] = {
        "lexical": _stage(
            "Words too (BM25)",
            "lexical",
            settings.lexical,
            "Passages that share the question's words are candidates too, and both scores are "
            "fused.",
        ),
        "rescore": _stage(
            "Rescore at full width",
            "rescore",
            settings.rescore,
            "The candidates that the small dimension finds are ordered by their full-width "
            "vectors." + (" At the model's full width that changes nothing." if full else ""),
        ),
        "collapse": _stage(
            "Collapse repeated passages",
            "collapse",
            settings.collapse,
            "A passage that stands nearly word for word in several filings is shown once, with "
            "the others named.",
        ),
    }
    if settings.reranker and not _stage(
        "Rerank",
        "rerank",
        True,
        f"{settings.reranker} reads the best candidates with the question and orders them anew.",
    ):
        chosen["reranker"] = ""
    return settings.model_copy(update=chosen)


def _stage(label: str, key: str, on: bool, help_: str) -> bool:
    return st.checkbox(label, on, key=key, persist_state=KEPT, help=written_markdown(help_))
