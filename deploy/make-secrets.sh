#!/bin/sh
# Makes what must not be in the repository: .env with fresh passwords, and secrets/vault-keys.json with a fresh key.
# Usage: sh deploy/make-secrets.sh hub.example.org [folder]     (the folder is this script's own if none is named)
# Nothing that exists is ever overwritten: a lost vault key opens no personal data any more.
set -eu

host=${1:?usage: sh deploy/make-secrets.sh hub.example.org [folder]}
folder=${2:-$(dirname "$0")}
umask 077

for made in "$folder/.env" "$folder/secrets/vault-keys.json"; do
    if [ -e "$made" ]; then
        echo "make-secrets: $made exists; move it away first if you mean it" >&2
        exit 1
    fi
done

# Root's files could not be read by the container's own account: they are given to it.
run_as=$(id -u):$(id -g)
[ "$(id -u)" != 0 ] || run_as=10001:10001

mkdir -p "$folder/secrets"
echo '*' > "$folder/secrets/.gitignore"
printf '{"kek-%s": "%s"}\n' "$(openssl rand -hex 4)" "$(openssl rand -base64 32)" > "$folder/secrets/vault-keys.json"
cat > "$folder/.env" <<ENV
# Read by docker compose. Settings of the hub begin with HUB_ and are described in env.sample.
RUN_AS=$run_as
SUPERUSER_PASSWORD=$(openssl rand -hex 24)
OWNER_PASSWORD=$(openssl rand -hex 24)
APP_PASSWORD=$(openssl rand -hex 24)
QUEUE_PASSWORD=$(openssl rand -hex 24)
HUB_SECRET_KEY=$(openssl rand -hex 32)
HUB_PUBLIC_URL=https://$host
HUB_TRUSTED_HOSTS=$host
ENV
[ "$(id -u)" != 0 ] || chown -R "$run_as" "$folder/secrets"
echo "Made $folder/.env and $folder/secrets/vault-keys.json. Keep a copy of both off this machine, apart from the backups."
