"""Rows of ``eval bench``, a file each, and what they share."""
