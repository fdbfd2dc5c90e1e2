"""The contract: operations, /openapi.json and /docs."""
