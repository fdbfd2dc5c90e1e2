# Urumi on the cluster that kubectl points to: shown and asked about before anything is touched; read by setup.sh.
# shellcheck shell=bash disable=SC2154 # the rest is of setup.sh

ask_before_touching() { # CONTEXT SERVER YES
    say "      context     $1"
    say "      server      $2"
    say "      namespace   $namespace"
    say "      release     $(describe_release)"
    [ -z "$3" ] || return 0
    [ -t 0 ] || fail "This would change the cluster of the context $1, and there is no terminal to ask at." \
        "Look at the lines above, and add --yes if that is what you want."
    local answer
    printf 'Install or upgrade Urumi there? Type yes to go on: '
    read -r answer || answer=""
    [ "$answer" = yes ] || fail "Nothing was touched."
}

describe_release() {
    local found
    found=$("${helm[@]}" list --namespace "$namespace" --filter '^urumi$' --no-headers 2>/dev/null | tr '\t' ' ' | tr -s ' ') ||
        true
    say "${found:-none yet; urumi will be installed}"
}

# Says what a shop would wait for in vain, before there is a shop.
warn_of_what_is_missing() {
    "${kubectl[@]}" get storageclass -o jsonpath='{range .items[*]}{.metadata.annotations}{end}' 2>/dev/null |
        grep -q 'is-default-class":"true"' ||
        say "      Note: the cluster has no default storage class. Set config.STORAGE_CLASS, or volumes stay Pending."
    [ -n "$("${kubectl[@]}" get ingressclass -o name 2>/dev/null)" ] ||
        say "      Note: the cluster has no ingress class, so no ingress controller that would serve a shop."
}

up_current() { # YES VALUES-FILE...
    local yes=$1 context server host file objects token arguments=(--values charts/platform/values-prod.yaml)
    shift
    for file in "$@"; do
        [ -r "$file" ] || fail "There is no values file $file."
        arguments+=(--values "$file")
    done
    say "[2/4] kubectl and Helm: those on PATH, or built from pinned modules in about 3 minutes."
    use_clients "" ""
    # This once by kubectl's own choice; later it is named, so that another shell cannot change it on the way.
    context=$("${kubectl[@]}" config current-context 2>/dev/null) ||
        fail "kubectl has no current context. Choose one: kubectl config use-context NAME"
    use_clients "" "$context"
    server=$("${kubectl[@]}" config view --minify -o jsonpath='{.clusters[0].cluster.server}')

    say "[3/4] The cluster, as it is."
    "${kubectl[@]}" get --raw /readyz >/dev/null ||
        fail "The API server $server of the context $context does not answer, or does not know you."
    # Wrong values end it here, where nothing was touched.
    objects=$("${helm[@]}" template urumi charts/platform --namespace "$namespace" "${arguments[@]}") ||
        fail "The values do not fit the chart; Helm's words are above. Yours are given with --values FILE; docs/production.md."
    ask_before_touching "$context" "$server" "$yes"
    warn_of_what_is_missing

    say "[4/4] Urumi: about a minute."
    printf 'current %s\n' "$context" >"$state/where"
    # With auth.mode kubernetes there is no token of Urumi's own.
    case "$objects" in
        *"name: URUMI_TOKEN"*)
            has_token || new_token | ensure_token
            token="kubectl -n $namespace get secret urumi-token -o jsonpath='{.data.token}' | base64 -d"
            ;;
        *)
            ensure_namespace
            token="kubectl -n $namespace create token ACCOUNT; docs/production.md says who may do what"
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
    say "Urumi runs on a cluster that was there before it; nothing there is stopped from here. To take it away:"
    say "  kubectl --context $context -n $namespace delete stores --all     # the shops and their data; wait until they are gone"
    say "  helm --kube-context $context -n $namespace uninstall urumi"
    say "./setup.sh --cluster local or --cluster kind goes on elsewhere."
}

status_current() {
    local context
    context=$(cut -d ' ' -f 2- "$state/where")
    use_clients "" "$context"
    say "cluster     context $context, namespace $namespace"
    say "release     $(describe_release)"
    "${kubectl[@]}" -n "$namespace" get deployment urumi
}
