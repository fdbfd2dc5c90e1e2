"""A test server: a second, independent implementation of docs/protocol.md and of the REST API."""
