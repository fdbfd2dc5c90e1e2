#!/bin/sh
# Starts Urumi: a Python environment in .venv, a Kubernetes cluster, the server. `./setup.sh help` prints the commands.
# This script only finds a Python; everything else is in cluster/setup.
set -eu
script=$0
while [ -h "$script" ]; do     # a link to this file, perhaps from another folder; macOS has no readlink -f
    target=$(readlink -- "$script")
    case $target in /*) script=$target ;; *) script=$(dirname -- "$script")/$target ;; esac
done
CDPATH='' cd -P -- "$(dirname -- "$script")"

found=""
for name in "${URUMI_PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 .venv/bin/python; do
    python=$(command -v "$name") || continue
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        unset PYTHONSAFEPATH     # it would hide the modules in this folder
        trap '' INT              # until cluster.setup can answer it; Python itself would print a traceback
        exec "$python" -m cluster.setup "$@"
    fi
    found=${found:-only $("$python" --version 2>&1 | head -n 1) at $python}
done
printf 'setup.sh: %s %s\n' "Urumi needs Python 3.11 or newer; found ${found:-no python3 on PATH}." \
    "Install it (Debian, Ubuntu: apt-get install python3 python3-venv) and run this again." >&2
exit 1
