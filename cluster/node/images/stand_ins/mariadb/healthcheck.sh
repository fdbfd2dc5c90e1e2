#!/bin/sh
# Healthy is a server that lets its own health check's user in over TCP and has InnoDB at work.
set -eu
exec mariadb --host=127.0.0.1 --user=healthcheck --password=healthcheck --skip-column-names --batch \
    --execute="SELECT 1 FROM information_schema.ENGINES WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT')" \
    >/dev/null
