#!/bin/sh
# Run by the image of PostgreSQL when it makes its data folder: an owner and a database for each service,
# which can't enter the other's, and a role for each part of the gateway.
set -eu

# $1: role; its statements come from standard input
as_superuser() {
    psql -v ON_ERROR_STOP=1 -v role="$1" -v password="$(cat "/run/secrets/${1}_password")" \
        --username "$POSTGRES_USER" --dbname postgres
}

for owner in payments acquirer; do
    as_superuser "$owner" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE CONNECT ON DATABASE :"role" FROM PUBLIC;
SQL
done

for part in paygate_gateway paygate_vault paygate_events paygate_sandbox; do
    as_superuser "$part" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE payments TO :"role";
SQL
done
