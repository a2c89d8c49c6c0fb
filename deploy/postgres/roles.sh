#!/bin/sh
# One role and one schema a service: it may touch only its own tables. Run once, on a new volume.
set -eu
for service in pipeline reminders notifications; do
    psql -v ON_ERROR_STOP=1 -v role="$service" -v secret="$RELANCE_DB_PASSWORD" \
        -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'secret';
ALTER ROLE :"role" SET search_path TO :"role";
CREATE SCHEMA :"role" AUTHORIZATION :"role";
SQL
done
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
    -c "REVOKE ALL ON SCHEMA public FROM PUBLIC"
