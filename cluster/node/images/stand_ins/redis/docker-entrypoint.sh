#!/bin/sh
# Runs the server, open to its network, with the arguments given.
set -eu
case "${1:-}" in -* | *.conf) set -- redis-server "$@" ;; esac
[ "$1" != redis-server ] || set -- "$@" --protected-mode no
exec "$@"
