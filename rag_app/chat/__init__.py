"""LLM, prompts, citations: hits to a cited, checked answer."""
