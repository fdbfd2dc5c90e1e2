# Urumi on a kind cluster: real containers in Docker, real shops; sourced by setup.sh.
# kind is built from the module pinned in cluster/kind/go.mod, which also pins the checksum of its node image.
# shellcheck shell=bash disable=SC2154 # the other functions are in setup.sh

readonly KIND_CLUSTER=urumi
readonly KIND_NODE=$KIND_CLUSTER-control-plane
readonly KIND_HOST=localhost

# Docker's client is often installed without a running engine.
docker_answers() { command -v docker >/dev/null 2>&1 && bounded 10 docker info >/dev/null 2>&1; }

kind_pin() { sed -n 's/^[[:space:]]*sigs.k8s.io\/kind v\([0-9.]*\).*/\1/p' cluster/kind/go.mod; }

# Prints the path of kind: from PATH if it is the pinned version, because each version has its own node images.
find_kind() {
    if [ "$(kind --version 2>/dev/null)" = "kind version $(kind_pin)" ]; then
        command -v kind
    else
        say "$(build_programs kind)/kind"
    fi
}

kind_node_state() { docker inspect --format '{{.State.Status}}' "$KIND_NODE" 2>/dev/null || say absent; }

check_kind_ports() {
    local port
    for port in 80 443; do
        ! something_listens "$port" ||
            fail "Port $port of 127.0.0.1 is in use, and the shops need it. Free it, or use the local cluster without Docker:" \
                "./setup.sh --cluster local"
    done
}

ensure_kind_cluster() { # KIND KUBECONFIG
    case "$(kind_node_state)" in
        running) say "      The kind cluster $KIND_CLUSTER is already running." ;;
        absent)
            check_kind_ports
            start_ticker
            "$1" create cluster --name "$KIND_CLUSTER" --config cluster/kind/cluster.yaml --kubeconfig "$2" --wait 180s ||
                fail "kind could not create the cluster: see its message above. Without Docker, run ./setup.sh --cluster local"
            stop_ticker
            ;;
        *)
            check_kind_ports
            docker start "$KIND_NODE" >/dev/null || fail "Docker could not start $KIND_NODE: see its message above."
            say "      The kind cluster $KIND_CLUSTER was stopped and is running again."
            ;;
    esac
    "$1" export kubeconfig --name "$KIND_CLUSTER" --kubeconfig "$2" >/dev/null 2>&1 ||
        fail "kind has no cluster $KIND_CLUSTER, but its node exists. Delete it with ./setup.sh down --purge, then run this again."
}

wait_for_api() {
    local started=$SECONDS
    until "${kubectl[@]}" get --raw /readyz >/dev/null 2>&1; do
        [ $((SECONDS - started)) -lt 120 ] || fail "The API server of the kind cluster does not respond after 120 s." \
            "Run: docker logs $KIND_NODE"
        sleep 1
    done
}

# Builds every image, the server's with a tag derived from its code, and loads them into the node. Sets server_tag.
load_images() { # KIND
    local lines name reference
    server_tag=$(sed -n 's/^appVersion: "\(.*\)"/\1/p' charts/platform/Chart.yaml)-$(code_digest | cut -d ' ' -f 1)
    start_ticker
    lines=$(scripts/images --tag "$server_tag") || fail "The images could not be built: see the message above."
    while read -r name reference; do
        say "      Loading $name into the cluster: $reference"
        "$1" load docker-image --name "$KIND_CLUSTER" "$reference" >/dev/null 2>&1 ||
            fail "kind could not load $reference. To see why, run: $1 load docker-image --name $KIND_CLUSTER $reference"
    done <<<"$lines"
    stop_ticker
}

install_traefik() {
    "${kubectl[@]}" apply --server-side --force-conflicts -f cluster/kind/traefik.yaml >/dev/null ||
        fail "The ingress controller could not be installed: see kubectl's message above."
    "${kubectl[@]}" -n traefik rollout status daemonset/traefik --timeout=180s >/dev/null ||
        fail "Traefik is not ready after 180 s. " \
            "Run: kubectl --kubeconfig $state/kind.kubeconfig -n traefik describe pods"
}

up_kind() {
    local kubeconfig=$state/kind.kubeconfig kind server_tag
    docker_answers || fail "Docker does not respond, and kind needs it. Without Docker, run ./setup.sh --cluster local"
    say "[2/4] A kind cluster: 1 to 3 minutes the first time, seconds later."
    kind=$(find_kind)
    ensure_kind_cluster "$kind" "$kubeconfig"
    use_clients "$kubeconfig" ""
    wait_for_api

    say "[3/4] The images: several minutes the first time, a minute later."
    load_images "$kind"

    say "[4/4] The ingress controller and Urumi: about a minute."
    install_traefik
    [ -s "$state/token" ] || (umask 077 && new_token >"$state/token")
    ensure_token <"$state/token"
    (umask 077 && read_token >"$state/token")
    local base_domain=${URUMI_BASE_DOMAIN:-${BASE_DOMAIN:-}}
    release_platform --values charts/platform/values-local.yaml --set-string "image.tag=$server_tag" \
        ${base_domain:+--set-string "config.BASE_DOMAIN=$base_domain"}
    wait_for_platform
    # `urumi` and `urumi-tui` read the server's address from here.
    printf '{"url": "http://%s"}\n' "$KIND_HOST" >"$state/server.json"
    say
    say "Urumi:  http://$KIND_HOST/"
    say "Token:  $(cat "$state/token")"
    say "        (from $state/token)"
    say "Next:   .venv/bin/urumi-tui"
    say "        .venv/bin/urumi create shop-1 --engine woocommerce --wait"
    say "        kubectl --kubeconfig $kubeconfig get stores -A"
}

down_kind() { # [--purge]
    if [ "${1:-}" != --purge ]; then
        if [ "$(kind_node_state)" = running ]; then
            docker stop "$KIND_NODE" >/dev/null || fail "Docker could not stop $KIND_NODE: see its message above."
            say "The kind cluster is stopped and its data kept. Run ./setup.sh to start it again, ./setup.sh down --purge to delete it."
        else
            say "The kind cluster is not running."
        fi
        return
    fi
    "$(find_kind)" delete cluster --name "$KIND_CLUSTER" --kubeconfig "$state/kind.kubeconfig" ||
        fail "kind could not delete the cluster: see its message above."
    rm -f "$state/kind.kubeconfig"
}

status_kind() {
    local node ready
    node=$(kind_node_state)
    row cluster "kind, node $node"
    [ "$node" = running ] || return 3
    use_clients "$state/kind.kubeconfig" ""
    ready=$("${kubectl[@]}" -n "$namespace" get deployment urumi -o jsonpath='{.status.readyReplicas}' 2>/dev/null) || true
    if [ "${ready:-0}" -gt 0 ]; then
        row server "running at http://$KIND_HOST/, $ready pods ready"
    else
        row server "not ready: $(why_not_rolled_out || true)"
        return 1
    fi
}
