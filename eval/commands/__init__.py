"""One file a command of ``python -m eval``: its flags, and what it does."""
