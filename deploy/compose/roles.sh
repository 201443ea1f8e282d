#!/bin/sh
# Run by the image of PostgreSQL when it makes its data folder: an owner and a database for each service,
# which can't enter the other's, and a role for each part of the gateway. Makes only what is missing: to be
# run again after an update.
#
# Elsewhere, as for deploy/ha, PAYGATE_SECRETS_DIR has the passwords, and PGHOST and PGPASSWORD are psql's own.
set -eu

secrets=${PAYGATE_SECRETS_DIR:-/run/secrets}

# $1: role; its statements come from standard input
as_superuser() {
    psql -v ON_ERROR_STOP=1 -v role="$1" -v password="$(cat "$secrets/${1}_password")" \
        --username "${POSTGRES_USER:-postgres}" --dbname postgres
}

for owner in payments acquirer; do
    as_superuser "$owner" <<'SQL'
SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = :'role') AS missing \gset
\if :missing
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE CONNECT ON DATABASE :"role" FROM PUBLIC;
\endif
SQL
done

# A part may be there without a login: the migrations make those that they miss.
for part in paygate_gateway paygate_vault paygate_reader paygate_sandbox paygate_admin \
    paygate_events paygate_webhooks; do
    as_superuser "$part" <<'SQL'
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') AS missing \gset
\if :missing
CREATE ROLE :"role";
\endif
ALTER ROLE :"role" LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE payments TO :"role";
SQL
done
