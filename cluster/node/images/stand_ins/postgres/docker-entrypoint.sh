#!/bin/bash
# Makes the database that POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB name, once; then runs the server.
set -euo pipefail

[[ ${1:-} == -* ]] && set -- postgres "$@"

make_database() {
    local user=${POSTGRES_USER:-postgres} database
    database=${POSTGRES_DB:-$user}
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "Error: the database is not initialized and POSTGRES_PASSWORD is not set." >&2
        exit 1
    fi
    initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-host=scram-sha-256 \
        --auth-local=trust --encoding=UTF8 --locale=C.UTF-8
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    # As in the official image, connections from within the pod need no password.
    sed -i -E 's/^(host +all +all +(127\.0\.0\.1\/32|::1\/128) +).*/\1trust/' "$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start
    if [ "$database" != postgres ]; then
        psql --username="$user" --dbname=postgres --set=name="$database" <<<'CREATE DATABASE :"name"'
    fi
    pg_ctl --wait --mode=fast stop
}

if [ "${1:-}" = postgres ]; then
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    [ -s "$PGDATA/PG_VERSION" ] || make_database
    shift
    set -- postgres -c "listen_addresses=*" "$@"
fi
exec "$@"
