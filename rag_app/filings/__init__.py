"""Source files to filings, sections and chunks."""
