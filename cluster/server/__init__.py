"""Urumi's server as a process of this machine, for the clusters on which it does not run in a pod."""
