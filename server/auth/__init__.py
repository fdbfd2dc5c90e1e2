"""Who calls and what they may do: tokens, TokenReview, the page's session, the audit log."""
