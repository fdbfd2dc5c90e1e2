"""The API contract: the table of operations, /openapi.json and /docs."""
