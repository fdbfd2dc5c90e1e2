# Urumi on the cluster of kubectl's current context, after a confirmation; sourced by setup.sh.
# shellcheck shell=bash disable=SC2154 # the other functions are in setup.sh

ask_before_touching() { # CONTEXT SERVER YES
    say "      context     $1"
    say "      server      $2"
    say "      namespace   $namespace"
    say "      release     $(describe_release)"
    [ -z "$3" ] || return 0
    [ -t 0 ] || fail "This changes the cluster of the context $1, and stdin is not a terminal." \
        "Check the lines above, then pass --yes."
    local answer
    printf 'Install or upgrade Urumi there? Type yes to continue: '
    read -r answer || answer=""
    [ "$answer" = yes ] || fail "Nothing was changed."
}

describe_release() {
    local found
    found=$("${helm[@]}" list --namespace "$namespace" --filter '^urumi$' --no-headers 2>/dev/null | tr '\t' ' ' | tr -s ' ') ||
        true
    say "${found:-none yet; urumi will be installed}"
}

# Warns about what the shops need and the cluster lacks.
warn_of_what_is_missing() {
    "${kubectl[@]}" get storageclass -o jsonpath='{range .items[*]}{.metadata.annotations}{end}' 2>/dev/null |
        grep -q 'is-default-class":"true"' ||
        say "      Note: the cluster has no default storage class. Set config.STORAGE_CLASS, or volumes stay Pending."
    [ -n "$("${kubectl[@]}" get ingressclass -o name 2>/dev/null)" ] ||
        say "      Note: the cluster has no ingress class, so no ingress controller serves the shops."
}

up_current() { # YES VALUES-FILE...
    local yes=$1 context server host file objects token arguments=(--values charts/platform/values-prod.yaml)
    shift
    for file in "$@"; do
        [ -r "$file" ] || fail "Values file not found: $file."
        arguments+=(--values "$file")
    done
    say "[2/4] kubectl and Helm: from PATH, or built from pinned modules in about 3 minutes."
    use_clients "" ""
    # Later calls name the context, so that another shell cannot change it in between.
    context=$("${kubectl[@]}" config current-context 2>/dev/null) ||
        fail "kubectl has no current context. Choose one: kubectl config use-context NAME"
    use_clients "" "$context"
    server=$("${kubectl[@]}" config view --minify -o jsonpath='{.clusters[0].cluster.server}')

    say "[3/4] The cluster."
    "${kubectl[@]}" get --raw /readyz >/dev/null ||
        fail "The API server $server of the context $context does not respond or refuses your credentials."
    # Wrong values fail here, before anything is changed.
    objects=$("${helm[@]}" template urumi charts/platform --namespace "$namespace" "${arguments[@]}") ||
        fail "The values do not fit the chart: see Helm's message above. Pass yours with --values FILE; see docs/production.md."
    ask_before_touching "$context" "$server" "$yes"
    warn_of_what_is_missing

    say "[4/4] Urumi: about a minute."
    printf 'current %s\n' "$context" >"$state/where"
    # With auth.mode kubernetes Urumi has no token.
    case "$objects" in
        *"name: URUMI_TOKEN"*)
            has_token || new_token | ensure_token
            token="kubectl -n $namespace get secret urumi-token -o jsonpath='{.data.token}' | base64 -d"
            ;;
        *)
            ensure_namespace
            token="kubectl -n $namespace create token ACCOUNT; docs/production.md lists the roles"
            ;;
    esac
    release_platform "${arguments[@]}"
    wait_for_platform
    host=$("${kubectl[@]}" -n "$namespace" get ingress urumi -o jsonpath='{.spec.rules[0].host}')
    say
    say "Urumi:  https://$host/"
    say "Token:  $token"
    say "Next:   helm -n $namespace test urumi"
    say "        export URUMI_URL=https://$host URUMI_TOKEN=...; .venv/bin/urumi-tui"
}

down_current() {
    local context
    context=$(cut -d ' ' -f 2- "$state/where")
    say "Urumi runs on an existing cluster; this script does not stop anything there. To remove it:"
    say "  kubectl --context $context -n $namespace delete stores --all     # the shops and their data; wait until they are deleted"
    say "  helm --kube-context $context -n $namespace uninstall urumi"
    say "To use another cluster, run ./setup.sh --cluster local or ./setup.sh --cluster kind."
}

status_current() {
    local context
    context=$(cut -d ' ' -f 2- "$state/where")
    use_clients "" "$context"
    row cluster "context $context, namespace $namespace"
    row release "$(describe_release)"
    "${kubectl[@]}" -n "$namespace" get deployment urumi
}
