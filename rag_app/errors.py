"""The errors that reach a user: one sentence that says what happened and what to do."""


class RagError(Exception):
    """A failure that the user can mend; the CLI prints its message and exits with 2."""


class FilingError(RagError):
    """A file that cannot be read as a filing (empty, binary, no text, unknown form)."""


class EdgarError(RagError):
    """EDGAR could not be asked, refused, or has no such filing."""


class EdgarRefusal(EdgarError):
    """EDGAR refused again after the wait; to ask on would only prolong its block."""


class ModelError(RagError):
    """An embedding model that is missing, damaged, or lacks the dimension asked for."""


class LibraryError(RagError):
    """The library on disk is missing, empty, locked by another writer, or damaged."""


class IndexMismatch(RagError):
    """An index that was not built from what the settings and the library say."""


class DamagedIndex(IndexMismatch):
    """An index, or the vectors it came from, whose bytes have changed; it is built anew."""


class OutdatedIndex(IndexMismatch):
    """An index that another version of this program wrote; it is built anew."""


class ChromaServerError(RagError):
    """The Chroma server is down, too slow, or refuses; the next question may find it back."""


class FactError(RagError):
    """No XBRL fact answers to what was asked for."""


class NotHere(RagError):
    """What a program asked for is not in the library."""


class ServeError(RagError):
    """The HTTP API or the MCP server cannot be started as asked."""


class JobError(RagError):
    """A background job cannot be started now."""


class LLMError(RagError):
    """The LLM server is down, refuses the key, or answers with an error."""


class ToolsRefused(LLMError):
    """The LLM server takes no tools; the same question without them is answered."""


class EmptyAnswer(LLMError):
    """The LLM answered with nothing; the next question may fare better."""


class FeedbackError(RagError):
    """What was marked in the chat cannot be kept, read, or found."""


class ConversationError(RagError):
    """A conversation that cannot be kept, read, or found."""


class DataError(RagError):
    """A training or evaluation data file that cannot be used."""


class TrainingError(RagError):
    """A recipe that cannot be used, or a training run that cannot begin or go on."""
