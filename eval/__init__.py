"""Base against tuned retrieval, with intervals, and regression gates."""
