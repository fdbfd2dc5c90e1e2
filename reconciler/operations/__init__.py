"""The operations: what a person requests on a store that is installed.

    verify    place a test order in the shop and remove it

An operation reads and writes through the same clients as the reconcile loop and imports its steps; no step imports an
operation.
"""
