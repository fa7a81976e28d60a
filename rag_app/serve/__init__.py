"""The filings for programs: an HTTP API and an MCP server on the chat's own read path."""
