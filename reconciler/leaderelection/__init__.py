"""Leader election: the Lease, the elector, and the watchdog that fences a frozen leader."""
