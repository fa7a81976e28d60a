"""Principal axes of vectors, widest first: the best linear cut to any number of coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_app.index.embedder import Vectors


@dataclass(frozen=True, slots=True)
class Axes:
    """The mean of the vectors, (width,), and their axes, (width, width), one a row, widest first.

    Source: Jolliffe 2002, "Principal Component Analysis".
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]

    def turned(self, vectors: Vectors) -> Vectors:
        """Vectors (n, width) seen from the mean, along the axes: (n, width), not of unit length."""
        return np.asarray((vectors - self.mean) @ self.axes.T, dtype=np.float32)


def principal_axes(vectors: Vectors) -> Axes:
    """The axes of (n, width) vectors."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    _, columns = np.linalg.eigh(centred.T @ centred)
    return Axes(mean, columns[:, ::-1].T)
