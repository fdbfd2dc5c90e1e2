"""Checks of the machine: each returns findings, and each finding that is not ok says what to do."""
