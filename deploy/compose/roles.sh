#!/bin/sh
# Run by the image of PostgreSQL when it makes its data folder: a role and a database for each
# service, which can't enter the other's.
set -eu

for role in payments acquirer; do
    psql -v ON_ERROR_STOP=1 -v role="$role" -v password="$(cat "/run/secrets/${role}_password")" \
        --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE CONNECT ON DATABASE :"role" FROM PUBLIC;
SQL
done
