#!/usr/bin/env bash
# Starts Urumi: a Python environment in .venv, a Kubernetes cluster, the server. The cluster is kind if Docker responds,
# otherwise the local one; `--cluster current` uses the cluster of kubectl's current context.
# Every stage can be run again and does only what is missing. `./setup.sh help` says which files are kept where.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/environment.sh
. scripts/environment.sh
# shellcheck source=scripts/platform.sh
. scripts/platform.sh
# shellcheck source=scripts/kind.sh
. scripts/kind.sh
# shellcheck source=scripts/current.sh
. scripts/current.sh

readonly DEFAULT_PORT=8780
readonly READY_SECONDS=60
readonly STOP_SECONDS=20

state="" cluster=""

usage() {
    cat <<EOF
usage: ./setup.sh [--cluster local|kind|current] [COMMAND]

  (none)           start Urumi: environment, Kubernetes, server; safe to run again
    --cluster local    etcd, API server and controllers as processes, simulated containers; needs no Docker
    --cluster kind     a cluster in Docker with real shops; the default if Docker responds
    --cluster current  the cluster of kubectl's current context; asks before it changes anything
    --values FILE      for current: your values for charts/platform; may be given more than once
    --yes              for current: do not ask
  status           print what is running
  down [--purge]   stop the server and the cluster; --purge also deletes their data, token and logs
  test             install what the tests need and run the tests to trust a change with: about 10 minutes
  test --all       every test on the local cluster, including those that take long
  test --node      only the tests with real containers: needs Linux and root (docs/real-node.md)
  test ARGS...     some tests, as in: test tests/urumi -k wire; ARGS go to pytest
  dev              only create the environment, with every developer tool
  help             print this

The environment is .venv in this folder. The token, the cluster's data and the logs are in URUMI_STATE_DIR, by default
~/.local/state/urumi; the cluster's programs are in URUMI_CACHE_DIR, by default ~/.cache/urumi.
URUMI_PORT is the server's port, by default $DEFAULT_PORT; URUMI_PYTHON the Python to use; URUMI_TEST_PROCESSES the number of
processes that run the tests, by default 3.
EOF
}

# --- The cluster -------------------------------------------------------------------------------------------------

# Builds the programs that are not in the cache and prints their folder.
build_programs() { # all, clients (kubectl and helm) or kind
    "$VENV/bin/python" - "$1" <<'EOF'
import sys
from pathlib import Path

from cluster.programs.binaries import Recipe, ensure_binaries
from cluster.errors import ClusterError
from cluster.folders import cache_root


def say(words: str) -> None:
    print(f"      {words}", file=sys.stderr, flush=True)


def recipe() -> Recipe:
    whole = Recipe.read(Path("cluster/kind")) if sys.argv[1] == "kind" else Recipe.read()
    if sys.argv[1] != "clients" or (cache_root() / "bin" / whole.key).is_dir():
        return whole
    return whole.only("kubectl", "helm")


try:
    print(ensure_binaries(cache_root(), lambda build: say(build.sentence()), say, recipe()).folder)
except KeyboardInterrupt:
    sys.exit(130)
except (ClusterError, OSError) as error:
    sys.exit(f"setup.sh: {error.sentence() if isinstance(error, ClusterError) else error}")
EOF
}

# Sets cluster: the requested one, the one of the last run, or kind if Docker responds.
choose_cluster() { # WANTED, or nothing
    local known
    known=$(cut -d ' ' -f 1 "$state/where" 2>/dev/null) || true
    cluster=${1:-$known}
    if [ -z "$cluster" ]; then
        cluster=local
        if ! server_pid >/dev/null && docker_answers; then cluster=kind; fi
    fi
    if [ "$cluster" != "$known" ] && is_up "$known"; then
        fail "Urumi runs on the $known cluster. Stop it first (./setup.sh down), then run this again."
    fi
}

is_up() { # CLUSTER
    case "$1" in
        local) server_pid >/dev/null ;;
        kind) [ "$(kind_node_state)" = running ] ;;
        *) return 1 ;;
    esac
}

apply_definitions() { # KUBECTL KUBECONFIG
    local namespace=${URUMI_PLATFORM_NAMESPACE:-${PLATFORM_NAMESPACE:-store-platform}}
    local kubectl=("$1" --kubeconfig "$2")
    if ! {
        "${kubectl[@]}" apply -f crds/stores.yaml &&
            "${kubectl[@]}" wait --for=condition=Established --timeout=60s -f crds/stores.yaml &&
            { "${kubectl[@]}" get namespace "$namespace" 2>/dev/null || "${kubectl[@]}" create namespace "$namespace"; }
    } >/dev/null; then
        fail "The Store definition or the namespace $namespace could not be applied: see kubectl's message above."
    fi
    say "      Store definition and namespace $namespace applied."
}

# --- The server --------------------------------------------------------------------------------------------------

find_state() {
    state=$("$VENV/bin/python" -c 'from urumi.config import state_dir; print(state_dir().absolute())')
}

# Prints the command line of a process.
command_line() { # PID
    "$VENV/bin/python" -c 'import psutil, sys; print(*psutil.Process(int(sys.argv[1])).cmdline())' "$1" 2>/dev/null
}

# Prints the server's pid if it is running. The command line is compared too, because pids are reused.
server_pid() {
    local pid
    pid=$(cat "$state/server.pid" 2>/dev/null) || return 1
    case "$(command_line "$pid")" in
        *"urumi serve"*) say "$pid" ;;
        *) return 1 ;;
    esac
}

running_port() { sed -n 's/.*"url": *"[a-z]*:\/\/[^"]*:\([0-9]*\)".*/\1/p' "$state/server.json" 2>/dev/null; }

chosen_port() {
    local port=${URUMI_PORT:-}
    [ -n "$port" ] || { server_pid >/dev/null && port=$(running_port); } || true
    port=${port:-$DEFAULT_PORT}
    case "$port" in
        *[!0-9]* | ??????*) fail "URUMI_PORT must be a port number, got '$port'." ;;
    esac
    [ "$port" -ge 1 ] && [ "$port" -le 65535 ] || fail "URUMI_PORT must be from 1 to 65535, got '$port'."
    say "$((10#$port))"
}

something_listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints the response of /readyz: status line, headers, body. A fresh machine may have no curl, so bash opens the socket.
readyz() { # PORT
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
        while IFS= read -r -t 5 line <&3 || [ -n "$line" ]; do printf '%s\n' "${line%$'\r'}"; done
    ) 2>/dev/null
}

is_ready() {
    case "$(readyz "$1")" in
        "HTTP/1.1 200"*) return 0 ;;
        *) return 1 ;;
    esac
}

# Prints why the server is not ready, as /readyz reports it.
what_is_missing() { # PORT
    local words
    words=$(readyz "$1" | sed '1,/^$/d' | tr '\n' ' ')
    say "${words:-it does not respond. }"
}

check_port() { # PORT
    if something_listens "$1" && ! { server_pid >/dev/null && [ "$(running_port)" = "$1" ]; }; then
        fail "Port $1 of 127.0.0.1 is in use by another program. Choose another: URUMI_PORT=$(($1 + 1)) ./setup.sh"
    fi
}

code_digest() {
    find urumi reconciler server charts crds pyproject.toml -type f ! -name '*.pyc' -exec cksum {} + | LC_ALL=C sort |
        cksum
}

ensure_server() { # PORT KUBECONFIG PROGRAMS
    local pid digest
    digest="$(code_digest) $2 $3"
    if pid=$(server_pid); then
        if [ "$(running_port)" = "$1" ] && [ "$(cat "$state/server.code" 2>/dev/null)" = "$digest" ] && is_ready "$1"; then
            say "      The server is already running."
            return
        fi
        say "      The running server has other code or settings, or is not ready. Restarting it."
        stop_server
    fi
    start_server "$@"
    printf '%s\n' "$digest" >"$state/server.code"
}

start_server() { # PORT KUBECONFIG PROGRAMS
    local log=$state/server.log detach=nohup
    command -v setsid >/dev/null 2>&1 && detach="setsid nohup"
    # Keeps one older log, so that neither grows without limit.
    [ ! -f "$log" ] || mv -f "$log" "$log.1"
    (umask 077 && : >"$log")
    $detach "$VENV/bin/urumi" serve --host 127.0.0.1 --port "$1" --kubeconfig "$2" --helm "$3/helm" \
        </dev/null >>"$log" 2>&1 &
    printf '%s\n' $! >"$state/server.pid"
    wait_until_ready "$1" $!
}

wait_until_ready() { # PORT PID
    local tenths=0
    until is_ready "$1"; do
        if ! kill -0 "$2" 2>/dev/null; then
            tail -n 5 "$state/server.log" >&2
            fail "The server exited during startup: see the lines above and $state/server.log"
        fi
        if [ "$tenths" -ge $((READY_SECONDS * 10)) ]; then
            fail "The server is not ready after $READY_SECONDS s: $(what_is_missing "$1")See $state/server.log"
        fi
        sleep 0.2
        tenths=$((tenths + 2))
        [ $((tenths % 50)) != 0 ] || say "      waiting for the server, $((tenths / 10)) s"
    done
}

stop_server() {
    local pid tenths=0
    if ! pid=$(server_pid); then
        rm -f "$state/server.pid"
        return 1
    fi
    kill "$pid"
    while server_pid >/dev/null; do
        [ "$tenths" != $((STOP_SECONDS * 10)) ] || kill -KILL "$pid" 2>/dev/null || true
        sleep 0.2
        tenths=$((tenths + 2))
    done
    rm -f "$state/server.pid"
}

# --- The commands ------------------------------------------------------------------------------------------------

up() { # [--cluster NAME] [--values FILE]... [--yes]
    local wanted="" yes="" values=()
    while [ $# -gt 0 ]; do
        case "$1 ${2:-}" in
            "--cluster local" | "--cluster kind" | "--cluster current") wanted=$2 && shift ;;
            "--values "?*) values+=("$2") && shift ;;
            "--yes "*) yes=yes ;;
            *) reject "$*" ;;
        esac
        shift
    done
    say "[1/4] Python environment in .venv: about a minute the first time, a second later."
    make_environment run
    find_state
    choose_cluster "$wanted"
    (umask 077 && mkdir -p "$state")
    case "$cluster" in
        local) up_local ;;
        kind) remember && up_kind ;;
        # bash 3.2 treats an empty array as an unset variable.
        current) up_current "$yes" ${values[@]+"${values[@]}"} ;;
    esac
}

remember() { printf '%s\n' "$cluster" >"$state/where"; }

up_local() {
    local port kubeconfig programs token source
    port=$(chosen_port)
    check_port "$port"
    remember

    say "[2/4] Kubernetes: about 6 minutes the first time (its programs are built), 5 to 20 seconds later."
    say "      Using the local cluster: real Kubernetes, simulated containers."
    programs=$(build_programs all)
    kubeconfig=$("$VENV/bin/urumi" cluster up | tail -n 1)

    say "[3/4] The Store definition: a second or two."
    apply_definitions "$programs/kubectl" "$kubeconfig"

    say "[4/4] The server: about 3 seconds."
    ensure_server "$port" "$kubeconfig" "$programs"

    if [ -n "${URUMI_TOKEN:-}" ]; then
        token=$URUMI_TOKEN source="the variable URUMI_TOKEN"
    else
        token=$(cat "$state/token") source=$state/token
    fi
    say
    say "Urumi:  http://127.0.0.1:$port/"
    say "Token:  $token"
    say "        (from $source)"
    say "Next:   .venv/bin/urumi-tui"
    say "        .venv/bin/urumi create shop-1 --engine woocommerce --wait"
}

down() { # [--purge]
    [ $# = 0 ] || [ "$*" = --purge ] || reject "$*"
    if ! is_usable; then
        say "There is no environment in .venv, so nothing can be stopped. Create it with ./setup.sh dev"
        return
    fi
    find_state
    choose_cluster ""
    "down_$cluster" "$@"
    [ "${1:-}" = --purge ] || return 0
    rm -f "$state"/server.log "$state"/server.log.1 "$state"/server.code "$state"/server.json "$state"/token "$state"/where
    rmdir "$state" 2>/dev/null || true
    say "The token, logs and settings are deleted."
}

down_local() { # [--purge]
    if stop_server; then say "Server stopped."; else say "The server is not running."; fi
    "$VENV/bin/urumi" cluster down "$@"
}

status() {
    [ $# = 0 ] || reject "$*"
    if ! is_usable; then
        row server "not set up; run ./setup.sh"
        return 3
    fi
    find_state
    choose_cluster ""
    "status_$cluster"
}

status_local() {
    local pid code=0
    if ! pid=$(server_pid); then
        row server "not running"
        code=3
    elif is_ready "$(running_port)"; then
        row server "running at http://127.0.0.1:$(running_port)/, pid $pid; log $state/server.log"
    else
        row server "not ready: $(what_is_missing "$(running_port)")See $state/server.log"
        code=1
    fi
    "$VENV/bin/urumi" cluster status || code=$?
    return "$code"
}

dev() {
    [ $# = 0 ] || reject "$*"
    say "Python environment in .venv, with every developer tool: about a minute the first time, a second later."
    make_environment dev
}

test_everything() {
    say "[1/3] Python environment in .venv: about a minute the first time, a second later."
    make_environment dev
    say "[2/3] What the tests drive: a browser, a terminal, a Kubernetes (about 6 minutes the first time)."
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
        command -v google-chrome >/dev/null 2>&1 || apt_install Chromium chromium
    command -v tmux >/dev/null 2>&1 || apt_install tmux tmux
    # Without these, the tests of the shops fail with the name of the missing program.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        command -v php >/dev/null 2>&1 || apt_install PHP php-cli php-mysql php-zip
        command -v mariadbd >/dev/null 2>&1 || apt_install MariaDB mariadb-server-core mariadb-client-core
        # Debian keeps PostgreSQL's programs off PATH; pg_ctlcluster is installed with them.
        command -v initdb >/dev/null 2>&1 || command -v pg_ctlcluster >/dev/null 2>&1 ||
            apt_install PostgreSQL postgresql
        command -v redis-server >/dev/null 2>&1 || apt_install Redis redis-server
        command -v nginx >/dev/null 2>&1 || apt_install nginx nginx
        { command -v busybox && command -v gawk && command -v mawk; } >/dev/null 2>&1 ||
            apt_install "Alpine's tools and both awks" busybox-static gawk mawk
        { command -v zsh && command -v fish; } >/dev/null 2>&1 || apt_install "zsh and fish" zsh fish
    fi
    case " $* " in *" --node "*) install_for_node ;; esac
    command -v npm >/dev/null 2>&1 || apt_install "npm, which brings axe-core," npm
    build_programs all >/dev/null
    say "[3/3] The tests: up to 10 minutes, with --all up to 20."
    # Whole tiers run in three processes, each with its own cluster: the tests mostly wait, so two processors are enough.
    # Files stay together, because their tests share servers. Other arguments run in one process.
    case "$*" in
        "" | --all) set -- "$@" -n "${URUMI_TEST_PROCESSES:-3}" --dist loadfile --no-loadscope-reorder --durations 20 ;;
    esac
    exec "$VENV/bin/python" -m pytest "$@"
}

# Installs the Debian packages that a real node needs; cluster/node/host.py lists them.
install_for_node() {
    local missing
    missing=$("$VENV/bin/python" -c 'from cluster.node.host import missing_packages; print(*missing_packages())')
    # shellcheck disable=SC2086 # names of packages
    [ -z "$missing" ] || apt_install "What a real node needs" $missing
}

reject() {
    printf 'setup.sh: unexpected argument: %s\n\n' "$*" >&2
    usage >&2
    exit 2
}

main() {
    case "${1:-}" in --*) [ "$1" = --help ] || set -- up "$@" ;; esac
    local command=${1:-up}
    [ $# = 0 ] || shift
    case "$command" in
        up | down | status | dev) "$command" "$@" ;;
        test) test_everything "$@" ;;
        help | -h | --help) usage ;;
        *) reject "$command" ;;
    esac
}

main "$@"
