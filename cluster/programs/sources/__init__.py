"""Finished programs: release files and wheels, pinned by their checksums."""
