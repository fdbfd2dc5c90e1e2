# The Python environment in .venv, and the output functions; sourced by setup.sh.
# The stamp is written last, so an interrupted installation is repeated by the next run.
# shellcheck shell=bash

readonly MINIMUM_PYTHON=3.11
readonly NEEDED_KB=800000 # the environment with its developer tools is about 420 MB, pip's cache comes on top
readonly VENV=$PWD/.venv
readonly STAMP=$VENV/urumi-installed
readonly PIP_LOG=$VENV/urumi-install.log

ticker=""

say() { printf '%s\n' "$*"; }

# Prints a line of a status table; `urumi cluster status` has the same columns.
row() { printf '%-25s%s\n' "$1" "$2"; }

fail() {
    printf 'setup.sh: %s\n' "$*" >&2
    exit 1
}

# Runs a command with a time limit, if there is a timeout program; macOS has none.
bounded() { # SECONDS COMMAND...
    if command -v timeout >/dev/null 2>&1; then
        timeout "$@"
    else
        shift
        "$@"
    fi
}

# Prints a line every 15 seconds while a quiet command runs.
start_ticker() {
    (
        waited=0
        while sleep 15 >/dev/null 2>&1; do
            waited=$((waited + 15))
            printf '      still running, %s s\n' "$waited"
        done
    ) &
    ticker=$!
    disown "$ticker"
}

stop_ticker() {
    [ -n "$ticker" ] || return 0
    # Not SIGTERM: bash prints an error if it arrives during a fork.
    kill -KILL "$ticker" 2>/dev/null || true
    ticker=""
}
trap stop_ticker EXIT

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < tuple(map(int, sys.argv[1].split("."))))' "$MINIMUM_PYTHON" \
        >/dev/null 2>&1
}

find_python() {
    local name found=""
    for name in ${URUMI_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        command -v "$name" >/dev/null 2>&1 || continue
        if is_new_enough "$name"; then
            command -v "$name"
            return
        fi
        [ -n "$found" ] || found="only $("$name" --version 2>&1 | head -n 1) at $(command -v "$name")"
    done
    fail "Urumi needs Python $MINIMUM_PYTHON or newer; found ${found:-no python3 on PATH}." \
        "Install it (Debian, Ubuntu: apt-get install python3 python3-venv) and run this again."
}

# In a moved checkout the Python still runs, but the installed programs point to the old path.
is_usable() { is_new_enough "$VENV/bin/python" && grep -qsF "$VENV/bin/python" "$VENV/bin/pip"; }

stamp_for() { printf '%s %s\n' "$(cksum <pyproject.toml)" "$1"; }

is_installed() {
    is_usable && [ -f "$STAMP" ] || return 1
    local stamp
    stamp=$(cat "$STAMP")
    # The developer's environment contains the plain one.
    [ "$stamp" = "$(stamp_for "$1")" ] || [ "$stamp" = "$(stamp_for dev)" ]
}

make_environment() { # EXTRA: run or dev
    if is_installed "$1"; then
        say "      .venv is up to date."
        return
    fi
    check_disk
    is_usable || make_venv "$1"
    rm -f "$STAMP"
    local what=.
    [ "$1" = run ] || what=".[$1]"
    start_ticker
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --editable "$what" >"$PIP_LOG" 2>&1 ||
        explain_pip
    stop_ticker
    stamp_for "$1" >"$STAMP"
    say "      .venv is ready."
}

make_venv() {
    local python words
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        [ "$1" = dev ] || fail "$python cannot create environments: its venv package is missing." \
            "Install it (Debian, Ubuntu: apt-get install python3-venv) and run this again."
        apt_install "Python's venv package" python3-venv
    fi
    words=$("$python" -m venv --clear "$VENV" 2>&1) || fail "$python could not create .venv: ${words##*$'\n'}"
}

check_disk() {
    local free
    free=$(df -Pk . | awk 'NR == 2 { print $4 }')
    [ "${free:-$NEEDED_KB}" -ge "$NEEDED_KB" ] ||
        fail "Not enough disk space: the environment needs $((NEEDED_KB / 1000)) MB in $PWD; $((free / 1000)) MB are free."
}

explain_pip() {
    stop_ticker
    if grep -q "No space left on device" "$PIP_LOG"; then
        fail "The disk is full: pip could not install into $VENV. Free some space and run this again."
    elif grep -qE "Failed to establish|NewConnectionError|NameResolution|ConnectTimeout|ReadTimeout|ProxyError|SSLError" \
        "$PIP_LOG"; then
        fail "pip cannot reach the package index: check the network or the proxy, and run this again. The log: $PIP_LOG"
    fi
    tail -n 5 "$PIP_LOG" >&2
    fail "pip could not install Urumi: see the lines above and $PIP_LOG"
}

apt_install() { # WHAT PACKAGE...
    local what=$1 sudo="" words
    shift
    command -v apt-get >/dev/null 2>&1 || fail "$what is missing. Install it ($*) and run this again."
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || fail "$what is missing and installing it needs root: sudo apt-get install $*"
        sudo="sudo -n"
    fi
    say "      Installing $what with apt-get, usually under a minute."
    start_ticker
    # At runlevel 1 Debian does not start the servers that it installs.
    words=$(export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 &&
        $sudo apt-get update -qq 2>&1 && $sudo apt-get install -qq -y --no-install-recommends "$@" 2>&1) || {
        stop_ticker
        fail "apt-get could not install $*: ${words##*$'\n'}"
    }
    stop_ticker
}
