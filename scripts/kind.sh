# Urumi on a kind cluster: real containers in Docker, real shops; read by setup.sh.
# kind is built from the module that scripts/kind/go.mod pins, and brings the checksum of its node image.
# shellcheck shell=bash disable=SC2154 # the rest is of setup.sh

readonly KIND_CLUSTER=urumi
readonly KIND_NODE=$KIND_CLUSTER-control-plane
readonly KIND_HOST=urumi.127.0.0.1.nip.io

# The client of Docker is often there without its engine.
docker_answers() { command -v docker >/dev/null 2>&1 && bounded 10 docker info >/dev/null 2>&1; }

kind_pin() { sed -n 's/^[[:space:]]*sigs.k8s.io\/kind v\([0-9.]*\).*/\1/p' scripts/kind/go.mod; }

# Prints the kind to use: the one on PATH where it is the pinned version, as every version has node images of its own.
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
            fail "Port $port of 127.0.0.1 is taken, and the shops need it. Free it, or use the local cluster without Docker:" \
                "./setup.sh --cluster local"
    done
}

ensure_kind_cluster() { # KIND KUBECONFIG
    case "$(kind_node_state)" in
        running) say "      The kind cluster $KIND_CLUSTER runs already." ;;
        absent)
            check_kind_ports
            start_ticker
            "$1" create cluster --name "$KIND_CLUSTER" --config scripts/kind/cluster.yaml --kubeconfig "$2" --wait 180s ||
                fail "kind could not make the cluster; its words are above. Without Docker: ./setup.sh --cluster local"
            stop_ticker
            ;;
        *)
            check_kind_ports
            docker start "$KIND_NODE" >/dev/null || fail "Docker could not start $KIND_NODE; its words are above."
            say "      The kind cluster $KIND_CLUSTER is started again."
            ;;
    esac
    "$1" export kubeconfig --name "$KIND_CLUSTER" --kubeconfig "$2" >/dev/null 2>&1 ||
        fail "kind does not know the cluster $KIND_CLUSTER, although its node is there. Make it anew: ./setup.sh down --purge"
}

wait_for_api() {
    local started=$SECONDS
    until "${kubectl[@]}" get --raw /readyz >/dev/null 2>&1; do
        [ $((SECONDS - started)) -lt 120 ] || fail "The API server of the kind cluster does not answer after 120 s." \
            "Its log: docker logs $KIND_NODE"
        sleep 1
    done
}

# Builds every image, the server's under a tag of its own code, and loads them into the node. Sets server_tag.
load_images() { # KIND
    local lines name reference
    server_tag=$(sed -n 's/^appVersion: "\(.*\)"/\1/p' charts/platform/Chart.yaml)-$(code_digest | cut -d ' ' -f 1)
    start_ticker
    lines=$(scripts/images --tag "$server_tag") || fail "The images could not be built; the words are above."
    while read -r name reference; do
        say "      Loading $name into the cluster: $reference"
        "$1" load docker-image --name "$KIND_CLUSTER" "$reference" >/dev/null 2>&1 ||
            fail "kind could not load $reference; by hand it tells why: $1 load docker-image --name $KIND_CLUSTER $reference"
    done <<<"$lines"
    stop_ticker
}

install_traefik() {
    "${kubectl[@]}" apply --server-side --force-conflicts -f scripts/kind/traefik.yaml >/dev/null ||
        fail "The ingress controller could not be installed; kubectl's words are above."
    "${kubectl[@]}" -n traefik rollout status daemonset/traefik --timeout=180s >/dev/null ||
        fail "Traefik is not ready after 180 s. " \
            "Look: kubectl --kubeconfig $state/kind.kubeconfig -n traefik describe pods"
}

up_kind() {
    local kubeconfig=$state/kind.kubeconfig kind server_tag
    docker_answers || fail "Docker does not answer, and kind needs it. Without Docker: ./setup.sh --cluster local"
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
    # From here on `urumi` and `urumi-tui` find the server and its token by themselves.
    printf '{"url": "http://%s"}\n' "$KIND_HOST" >"$state/server.json"
    say
    say "Urumi:  http://$KIND_HOST/"
    say "        http://urumi.localhost/ in a browser, where the name above is not found;"
    say "        shops have such names, too, after URUMI_BASE_DOMAIN=localhost ./setup.sh"
    say "Token:  $(cat "$state/token")"
    say "        (from $state/token)"
    say "Next:   .venv/bin/urumi-tui"
    say "        .venv/bin/urumi create shop-1 --engine woocommerce --wait"
    say "        kubectl --kubeconfig $kubeconfig get stores -A"
}

down_kind() { # [--purge]
    if [ "${1:-}" != --purge ]; then
        if [ "$(kind_node_state)" = running ]; then
            docker stop "$KIND_NODE" >/dev/null || fail "Docker could not stop $KIND_NODE; its words are above."
            say "The kind cluster is stopped; its data stays. ./setup.sh starts it again, ./setup.sh down --purge deletes it."
        else
            say "The kind cluster is not running."
        fi
        return
    fi
    "$(find_kind)" delete cluster --name "$KIND_CLUSTER" --kubeconfig "$state/kind.kubeconfig" ||
        fail "kind could not delete the cluster; its words are above."
    rm -f "$state/kind.kubeconfig"
}

status_kind() {
    local node ready
    node=$(kind_node_state)
    say "cluster     kind, its node is $node"
    [ "$node" = running ] || return 3
    use_clients "$state/kind.kubeconfig" ""
    ready=$("${kubectl[@]}" -n "$namespace" get deployment urumi -o jsonpath='{.status.readyReplicas}' 2>/dev/null) || true
    if [ "${ready:-0}" -gt 0 ]; then
        say "server      up at http://$KIND_HOST/, $ready pods ready"
    else
        say "server      not ready: $(why_not_rolled_out || true)"
        return 1
    fi
}
