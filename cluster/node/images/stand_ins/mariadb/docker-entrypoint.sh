#!/bin/bash
# Makes the database and the user that MARIADB_* name, once; then runs the server.
set -euo pipefail

[[ ${1:-} == -* ]] && set -- mariadbd "$@"
data=/var/lib/mysql

quoted() { printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/\\\\'/g"; }

statements() {
    local user password root host=${MARIADB_ROOT_HOST:-%}
    user=$(quoted "${MARIADB_USER:-}")
    password=$(quoted "${MARIADB_PASSWORD:-}")
    root=$(quoted "$MARIADB_ROOT_PASSWORD")
    echo "FLUSH PRIVILEGES;"
    echo "CREATE USER IF NOT EXISTS 'root'@'$host' IDENTIFIED BY '$root';"
    echo "ALTER USER 'root'@'$host' IDENTIFIED BY '$root';"
    echo "GRANT ALL ON *.* TO 'root'@'$host' WITH GRANT OPTION;"
    # Nothing is granted to it: it may connect, which is what a health check wants to know.
    echo "CREATE USER 'healthcheck'@'127.0.0.1' IDENTIFIED BY 'healthcheck';"
    [ -z "${MARIADB_DATABASE:-}" ] || echo "CREATE DATABASE \`$MARIADB_DATABASE\`;"
    if [ -n "$user" ]; then
        echo "CREATE USER '$user'@'%' IDENTIFIED BY '$password';"
        [ -z "${MARIADB_DATABASE:-}" ] || echo "GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$user'@'%';"
    fi
}

make_database() {
    if [ -z "${MARIADB_ROOT_PASSWORD:-}" ]; then
        echo "[ERROR] [Entrypoint]: the database is not initialized and MARIADB_ROOT_PASSWORD is not set." >&2
        exit 1
    fi
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve
    statements | mariadbd --datadir="$data" --bootstrap --skip-networking
    touch "$data/.urumi-made"
}

if [ "${1:-}" = mariadbd ]; then
    if [ ! -e "$data/.urumi-made" ]; then
        # What an interrupted start left is of no use to the server.
        find "$data" -mindepth 1 -delete
        make_database
    fi
    shift
    set -- mariadbd --datadir="$data" "$@"
fi
exec "$@"
