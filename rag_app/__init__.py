"""Filings in, cited answers out."""
