"""Authentication and authorization: tokens, TokenReview, the page's session, the audit log."""
