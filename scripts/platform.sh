# Urumi as a release of charts/platform, the same on kind and on an existing cluster; sourced by setup.sh.
# shellcheck shell=bash disable=SC2154 # the other functions are in setup.sh

readonly ROLLOUT_SECONDS=${URUMI_ROLLOUT_SECONDS:-600}

# The commands that reach the cluster; set by use_clients.
kubectl=() helm=()
namespace=${URUMI_PLATFORM_NAMESPACE:-${PLATFORM_NAMESPACE:-store-platform}}

# Prints the paths of kubectl and helm, separated by a space: from PATH if usable, otherwise built from cluster/go.mod.
find_clients() {
    if kubectl version --client >/dev/null 2>&1 && helm version --template '{{.Version}}' 2>/dev/null | grep -q '^v4\.'; then
        say "$(command -v kubectl) $(command -v helm)"
    else
        local folder
        folder=$(build_programs clients)
        say "$folder/kubectl $folder/helm"
    fi
}

use_clients() { # KUBECONFIG CONTEXT; empty means kubectl's default
    local found
    found=$(find_clients)
    kubectl=("${found%% *}" ${1:+--kubeconfig "$1"} ${2:+--context "$2"})
    helm=("${found##* }" ${1:+--kubeconfig "$1"} ${2:+--kube-context "$2"})
}

has_token() { "${kubectl[@]}" -n "$namespace" get secret urumi-token >/dev/null 2>&1; }

ensure_namespace() {
    if ! "${kubectl[@]}" get namespace "$namespace" >/dev/null 2>&1; then
        "${kubectl[@]}" create namespace "$namespace" >/dev/null ||
            fail "The namespace $namespace could not be created: see kubectl's message above."
    fi
}

# Creates the Secret with the token on standard input, unless it exists.
ensure_token() {
    ensure_namespace
    has_token || "${kubectl[@]}" -n "$namespace" create secret generic urumi-token --from-file=token=/dev/stdin \
        >/dev/null || fail "The Secret urumi-token could not be created: see kubectl's message above."
}

new_token() { "$VENV/bin/python" -c 'import secrets; print(secrets.token_urlsafe(32), end="")'; }

read_token() {
    "${kubectl[@]}" -n "$namespace" get secret urumi-token -o jsonpath='{.data.token}' |
        "$VENV/bin/python" -c 'import base64, sys; print(base64.b64decode(sys.stdin.read()).decode(), end="")'
}

# Installs or upgrades the release; it takes over a Store definition that was applied with kubectl.
release_platform() { # ARGUMENTS FOR HELM...
    "${helm[@]}" upgrade --install urumi charts/platform --namespace "$namespace" --take-ownership --force-conflicts \
        "$@" >/dev/null || fail "Helm could not install charts/platform: see its message above. No cleanup is needed:" \
        "fix the cause and run this again."
}

# Prints what the server's pods are waiting for.
why_not_rolled_out() {
    "${kubectl[@]}" -n "$namespace" get pods -l app.kubernetes.io/name=urumi -o jsonpath='{range .items[*]}{.status.phase} {.status.containerStatuses[0].state.waiting.reason}{.status.conditions[?(@.type=="PodScheduled")].message}; {end}' 2>/dev/null
}

wait_for_platform() {
    local words started=$SECONDS
    until "${kubectl[@]}" -n "$namespace" rollout status deployment/urumi --timeout=15s >/dev/null 2>&1; do
        words=$(why_not_rolled_out || true)
        if [ $((SECONDS - started)) -ge "$ROLLOUT_SECONDS" ]; then
            fail "The server is not ready after $((SECONDS - started)) s: ${words:-no pod yet}" \
                "Run: kubectl -n $namespace describe pods -l app.kubernetes.io/name=urumi. To roll back: helm -n $namespace rollback urumi"
        fi
        say "      waiting for the server's pods, $((SECONDS - started)) s: ${words:-no pod yet}"
        sleep 1
    done
}
