#!/usr/bin/env bash
# A throwaway PostgreSQL for tests.
#
#   test-postgres.sh COMMAND [ARGUMENT...]   runs the command with DATABASE_URL
#                                            set, and answers as it answers
#   test-postgres.sh                         prints DATABASE_URL and waits
#
# Its files lie under the system's temporary folder and go when it stops. It
# writes nothing durably (fsync is off) unless MINDSEYE_TEST_DURABLE is set, as
# it is where speed is measured. It listens on loopback and on a socket in
# its own folder, and takes a password made for this one run. Started by root,
# it runs as another user, since PostgreSQL refuses root.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=scripts/env.sh
source "$root/scripts/env.sh"
# shellcheck source=scripts/lib.sh
source "$root/scripts/lib.sh"

bin="$(postgres_bin)" || {
  complain "No PostgreSQL 15 or later was found: run 'make setup'."
  exit 1
}
careless=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
if [[ -n ${MINDSEYE_TEST_DURABLE:-} ]]; then careless=(-c fsync=on); fi
home="$(mktemp -d "${TMPDIR:-/tmp}/mindseye-pg.XXXXXX")"
server=''

# become_postgres COMMAND...: becomes the command, as an unprivileged user; it
# ends when the shell that started it ends.
become_postgres() {
  local drop=()
  if ((EUID == 0)); then drop=(--reuid="$user" --regid="$group" --clear-groups); fi
  cd "$home"
  exec setpriv ${drop[@]+"${drop[@]}"} --pdeathsig QUIT "$@"
}

pick_user() {
  user="$(id -un)"
  if ((EUID == 0)); then
    user=nobody
    if id postgres >/dev/null 2>&1; then user=postgres; fi
  fi
  group="$(id -gn "$user")"
}

create() {
  local locale=C.UTF-8
  locale -a 2>/dev/null | grep -qix 'C\.utf-\?8' || locale=C
  (umask 077 && python3 -c 'import secrets; print(secrets.token_hex(16))' >"$home/password")
  chown -R "$user:$group" "$home" 2>/dev/null || true
  (become_postgres "$bin/initdb" --pgdata="$home/data" --username=postgres --pwfile="$home/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale="$locale" --no-sync) >"$home.log" 2>&1 || {
    complain "initdb failed:"
    cat "$home.log" >&2
    return 1
  }
}

# start: a free port may be taken by another between asking and using: try again.
start() {
  local attempt
  for attempt in 1 2 3 4 5; do
    port="$(free_port)"
    : >"$home.log"
    become_postgres "$bin/postgres" -D "$home/data" -p "$port" -k "$home" -c listen_addresses=127.0.0.1 \
      "${careless[@]}" -c wal_level=minimal -c max_wal_senders=0 \
      -c max_connections=300 -c shared_buffers=128MB -c jit=off -c log_min_messages=warning \
      -c log_startup_progress_interval=0 >"$home.log" 2>&1 &
    server=$!
    if wait_ready; then return; fi
    wait "$server" 2>/dev/null || true
  done
  complain "PostgreSQL did not start after $attempt attempts:"
  cat "$home.log" >&2
  return 1
}

wait_ready() {
  local _
  for _ in $(seq 300); do
    if grep -qs ready "$home/data/postmaster.pid"; then return; fi
    if ! kill -0 "$server" 2>/dev/null; then return 1; fi
    sleep 0.1
  done
  return 1
}

# stop: not gracefully, since nothing in it is worth keeping.
stop() {
  if [[ -n $server ]]; then
    kill -QUIT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$home" "$home.log"
}

trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
pick_user
create
start
DATABASE_URL="postgres://postgres:$(cat "$home/password")@127.0.0.1:$port/postgres"
export DATABASE_URL
if (($#)); then
  status=0
  "$@" || status=$?
  exit "$status"
fi
echo "DATABASE_URL=$DATABASE_URL"
wait "$server"
