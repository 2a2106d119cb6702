"""The HTTP API of contract.md section 5, under /api/v1."""
