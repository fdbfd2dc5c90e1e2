# Urumi as a release of charts/platform in a cluster, the same for kind and for a cluster that is there; read by setup.sh.
# shellcheck shell=bash disable=SC2154 # the rest is of setup.sh

readonly ROLLOUT_SECONDS=${URUMI_ROLLOUT_SECONDS:-600}

# What reaches the cluster; set by whoever chose it.
kubectl=() helm=()
namespace=${URUMI_PLATFORM_NAMESPACE:-${PLATFORM_NAMESPACE:-store-platform}}

# Prints the paths of kubectl and helm, a space between them: those on PATH where they will do, else built from what cluster/go.mod pins.
find_clients() {
    if kubectl version --client >/dev/null 2>&1 && helm version --template '{{.Version}}' 2>/dev/null | grep -q '^v4\.'; then
        say "$(command -v kubectl) $(command -v helm)"
    else
        local folder
        folder=$(build_programs clients)
        say "$folder/kubectl $folder/helm"
    fi
}

use_clients() { # KUBECONFIG CONTEXT; an empty one is kubectl's own choice
    local found
    found=$(find_clients)
    kubectl=("${found%% *}" ${1:+--kubeconfig "$1"} ${2:+--context "$2"})
    helm=("${found##* }" ${1:+--kubeconfig "$1"} ${2:+--kube-context "$2"})
}

has_token() { "${kubectl[@]}" -n "$namespace" get secret urumi-token >/dev/null 2>&1; }

ensure_namespace() {
    if ! "${kubectl[@]}" get namespace "$namespace" >/dev/null 2>&1; then
        "${kubectl[@]}" create namespace "$namespace" >/dev/null ||
            fail "The namespace $namespace could not be made; kubectl's words are above."
    fi
}

# Makes the Secret with the token on standard input, where there is none.
ensure_token() {
    ensure_namespace
    has_token || "${kubectl[@]}" -n "$namespace" create secret generic urumi-token --from-file=token=/dev/stdin \
        >/dev/null || fail "The Secret urumi-token could not be made; kubectl's words are above."
}

new_token() { "$VENV/bin/python" -c 'import secrets; print(secrets.token_urlsafe(32), end="")'; }

read_token() {
    "${kubectl[@]}" -n "$namespace" get secret urumi-token -o jsonpath='{.data.token}' |
        "$VENV/bin/python" -c 'import base64, sys; print(base64.b64decode(sys.stdin.read()).decode(), end="")'
}

# Installs or upgrades the release; what an earlier `kubectl apply` of the Store definition wrote becomes the chart's.
release_platform() { # ARGUMENTS FOR HELM...
    "${helm[@]}" upgrade --install urumi charts/platform --namespace "$namespace" --take-ownership --force-conflicts \
        "$@" >/dev/null || fail "Helm could not release charts/platform; its words are above. Nothing needs to be cleaned up:" \
        "mend what it names and run this again."
}

# Prints what the pods of the server wait for.
why_not_rolled_out() {
    "${kubectl[@]}" -n "$namespace" get pods -l app.kubernetes.io/name=urumi -o jsonpath='{range .items[*]}{.status.phase} {.status.containerStatuses[0].state.waiting.reason}{.status.conditions[?(@.type=="PodScheduled")].message}; {end}' 2>/dev/null
}

wait_for_platform() {
    local words started=$SECONDS
    until "${kubectl[@]}" -n "$namespace" rollout status deployment/urumi --timeout=15s >/dev/null 2>&1; do
        words=$(why_not_rolled_out || true)
        if [ $((SECONDS - started)) -ge "$ROLLOUT_SECONDS" ]; then
            fail "The server is not ready after $((SECONDS - started)) s: ${words:-no pod yet}" \
                "Look: kubectl -n $namespace describe pods -l app.kubernetes.io/name=urumi. Back to what was: helm -n $namespace rollback urumi"
        fi
        say "      waiting for the server's pods, $((SECONDS - started)) s: ${words:-no pod yet}"
        sleep 1
    done
}
