#!/bin/sh
# Makes the hub's two roles and its database on a fresh PostgreSQL; running it again only sets the passwords anew.
# hub_owner owns the tables and migrates; hub_app may do what each migration grants, and nothing else.
# Run by the PostgreSQL image at its first start, or by hand as a superuser:
#   POSTGRES_USER=postgres OWNER_PASSWORD=... APP_PASSWORD=... sh deploy/postgres-init.sh
set -eu

: "${POSTGRES_USER:?}" "${OWNER_PASSWORD:?}" "${APP_PASSWORD:?}"

# The passwords go through the environment and not the command line, where any user of the machine could read them.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
SET log_statement = 'none';
SELECT format('CREATE ROLE %I LOGIN', wanted.name)
FROM (VALUES ('hub_owner'), ('hub_app')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) \gexec
ALTER ROLE hub_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE hub_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
SELECT 'CREATE DATABASE hub OWNER hub_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'hub') \gexec
REVOKE ALL ON DATABASE hub FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE hub TO hub_app;
SQL
