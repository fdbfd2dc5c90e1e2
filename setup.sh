#!/usr/bin/env bash
# Urumi: a Python environment in .venv, a Kubernetes, the server. Where Docker answers the Kubernetes is kind, elsewhere
# the local cluster; `--cluster current` takes the one that kubectl points to.
# Every stage may be run again; it does what is missing and no more. What is kept where: `./setup.sh help`.
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

  (none)           bring Urumi up: environment, Kubernetes, server; safe to run again
    --cluster local    etcd, API server and controllers as programs here, simulated containers; needs no Docker
    --cluster kind     a cluster in Docker with real shops; chosen by itself where Docker answers
    --cluster current  the cluster that kubectl points to; asks before it touches anything
    --values FILE      for current: your values for charts/platform; may be given more than once
    --yes              for current: do not ask
  status           say what runs
  down [--purge]   stop the server and the cluster; --purge deletes their data, token and logs too
  test [ARGS...]   install what the tests need and run them; ARGS go to pytest
  test --node      the tests with real containers, and only those: a kubelet of its own, Linux and root (docs/real-node.md)
  dev              only make the environment, with every developer tool
  help             print this

The environment is .venv in this folder. The token, the cluster's data and the logs are in URUMI_STATE_DIR, by default
~/.local/state/urumi; the cluster's programs are in URUMI_CACHE_DIR, by default ~/.cache/urumi.
URUMI_PORT is the server's port, by default $DEFAULT_PORT; URUMI_PYTHON the Python to use.
EOF
}

# --- The cluster -------------------------------------------------------------------------------------------------

# Builds programs where the cache does not have them; prints their folder.
build_programs() { # all, clients (kubectl and helm) or kind
    "$VENV/bin/python" - "$1" <<'EOF'
import sys
from pathlib import Path

from cluster.binaries import Recipe, ensure_binaries
from cluster.errors import ClusterError
from cluster.folders import cache_root


def say(words: str) -> None:
    print(f"      {words}", file=sys.stderr, flush=True)


def recipe() -> Recipe:
    whole = Recipe.read(Path("scripts/kind")) if sys.argv[1] == "kind" else Recipe.read()
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

# Sets cluster to where Urumi is to run: as asked for, as the last time, or as Docker answers.
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
        fail "Kubernetes did not take the Store definition or the namespace $namespace; kubectl's words are above."
    fi
    say "      The Store definition and the namespace $namespace are there."
}

# --- The server --------------------------------------------------------------------------------------------------

find_state() {
    state=$("$VENV/bin/python" -c 'from urumi.config import state_dir; print(state_dir().absolute())')
}

# Prints the command line of a process. A small Linux may lack ps, other systems lack /proc.
command_line() { # PID
    if [ -r "/proc/$1/cmdline" ]; then
        tr '\0' ' ' <"/proc/$1/cmdline"
    elif [ ! -d /proc/self ]; then
        ps -o args= -p "$1" 2>/dev/null
    fi
}

# Prints the server's pid where it runs. A pid alone proves nothing, as pids are used again.
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

# Prints what /readyz answers: status line, headers, body. bash's own sockets spare a fresh machine curl.
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

# Prints what keeps the server from being ready, in its own words.
what_is_missing() { # PORT
    local words
    words=$(readyz "$1" | sed '1,/^$/d' | tr '\n' ' ')
    say "${words:-it does not answer }"
}

check_port() { # PORT
    if something_listens "$1" && ! { server_pid >/dev/null && [ "$(running_port)" = "$1" ]; }; then
        fail "Port $1 of 127.0.0.1 is taken by another program. Choose another: URUMI_PORT=$(($1 + 1)) ./setup.sh"
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
            say "      It is up already."
            return
        fi
        say "      The running server is of other code or settings, or not ready; it is started anew."
        stop_server
    fi
    start_server "$@"
    printf '%s\n' "$digest" >"$state/server.code"
}

start_server() { # PORT KUBECONFIG PROGRAMS
    local log=$state/server.log detach=nohup
    command -v setsid >/dev/null 2>&1 && detach="setsid nohup"
    # One older log is kept, so that neither grows for ever.
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
            fail "The server ended at its start; its last words are above, all of them in $state/server.log"
        fi
        if [ "$tenths" -ge $((READY_SECONDS * 10)) ]; then
            fail "The server is not ready after $READY_SECONDS s: $(what_is_missing "$1")Its log: $state/server.log"
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
        # An old bash takes an empty list for an unknown name.
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
    say "      The local cluster is used: its Kubernetes is real, its containers are simulated."
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
        say "There is no environment in .venv, so there is nothing that can be stopped from here. Make it: ./setup.sh dev"
        return
    fi
    find_state
    choose_cluster ""
    "down_$cluster" "$@"
    [ "${1:-}" = --purge ] || return 0
    rm -f "$state"/server.log "$state"/server.log.1 "$state"/server.code "$state"/server.json "$state"/token "$state"/where
    rmdir "$state" 2>/dev/null || true
    say "What was kept on this machine is deleted."
}

down_local() { # [--purge]
    if stop_server; then say "The server is stopped."; else say "The server is not running."; fi
    "$VENV/bin/urumi" cluster down "$@"
}

status() {
    [ $# = 0 ] || reject "$*"
    if ! is_usable; then
        say "server      not set up; run ./setup.sh"
        return 3
    fi
    find_state
    choose_cluster ""
    "status_$cluster"
}

status_local() {
    local pid code=0
    if ! pid=$(server_pid); then
        say "server      down"
        code=3
    elif is_ready "$(running_port)"; then
        say "server      up at http://127.0.0.1:$(running_port)/, pid $pid, its log: $state/server.log"
    else
        say "server      not ready: $(what_is_missing "$(running_port)")Its log: $state/server.log"
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
    # Without these the tests of the shops say what is missing.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        command -v php >/dev/null 2>&1 || apt_install PHP php-cli php-mysql php-zip
        command -v mariadbd >/dev/null 2>&1 || apt_install MariaDB mariadb-server-core mariadb-client-core
        # Debian keeps Postgres's own programs off PATH; this one comes with them.
        command -v initdb >/dev/null 2>&1 || command -v pg_ctlcluster >/dev/null 2>&1 ||
            apt_install PostgreSQL postgresql
        command -v redis-server >/dev/null 2>&1 || apt_install Redis redis-server
        command -v nginx >/dev/null 2>&1 || apt_install nginx nginx
        { command -v busybox && command -v gawk && command -v mawk; } >/dev/null 2>&1 ||
            apt_install "Alpine's tools and both awks" busybox-static gawk mawk
    fi
    case " $* " in *" --node "*) install_for_node ;; esac
    command -v npm >/dev/null 2>&1 || apt_install "npm, which brings axe-core," npm
    build_programs all >/dev/null
    say "[3/3] The tests: a few minutes."
    exec "$VENV/bin/python" -m pytest "$@"
}

# What a real node needs of Debian; testing/node/host.py knows which program of each is used.
install_for_node() {
    local missing
    missing=$("$VENV/bin/python" -c 'from testing.node.host import missing_packages; print(*missing_packages())')
    # shellcheck disable=SC2086 # names of packages
    [ -z "$missing" ] || apt_install "What a real node needs" $missing
}

reject() {
    printf 'setup.sh: did not expect: %s\n\n' "$*" >&2
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
