"""Programs compiled from their Go modules."""
