"""The REST calls on stores: lists, admission, idempotency, credentials, verification."""
