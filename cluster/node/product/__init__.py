"""The node as users have it, with `./setup.sh --cluster node`: its ports, its obstacles, its shops."""
