"""`./setup.sh` in Python: the environment, the choice of the cluster, the tests."""
