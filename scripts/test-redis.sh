#!/usr/bin/env bash
# A throwaway Redis for tests.
#
#   test-redis.sh COMMAND [ARGUMENT...]   runs the command with
#                                         MINDSEYE_TEST_REDIS_URL set, and
#                                         answers as it answers
#   test-redis.sh                         prints MINDSEYE_TEST_REDIS_URL and waits
#
# It is not called REDIS_URL, because servers that tests start would take that
# for theirs and talk to each other. It keeps nothing on disk, listens on
# loopback, and takes a password made for this one run. Its folder lies under
# the system's temporary folder and goes when it stops.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=scripts/env.sh
source "$root/scripts/env.sh"
# shellcheck source=scripts/lib.sh
source "$root/scripts/lib.sh"

have redis-server || {
  complain "No Redis was found, and the tests of the bus can't run without one: run 'make setup'."
  exit 1
}
home="$(mktemp -d "${TMPDIR:-/tmp}/mindseye-redis.XXXXXX")"
server=''

# become_redis: becomes the server; it ends when the shell that started it ends.
# The password goes through a file that only this user reads.
become_redis() {
  cd "$home"
  exec setpriv --pdeathsig KILL redis-server "$home/redis.conf" --port "$port"
}

create() {
  password="$(python3 -c 'import secrets; print(secrets.token_hex(16))')"
  (umask 077 && cat >"$home/redis.conf") <<CONF
bind 127.0.0.1
requirepass $password
dir $home
save ""
appendonly no
loglevel warning
CONF
}

# start: a free port may be taken by another between asking and using: try again.
start() {
  local attempt
  for attempt in 1 2 3 4 5; do
    port="$(free_port)"
    become_redis >"$home/log" 2>&1 &
    server=$!
    if wait_ready; then return; fi
    wait "$server" 2>/dev/null || true
  done
  complain "Redis did not start after $attempt attempts:"
  cat "$home/log" >&2
  return 1
}

wait_ready() {
  local _
  for _ in $(seq 300); do
    if answers; then return; fi
    if ! kill -0 "$server" 2>/dev/null; then return 1; fi
    sleep 0.1
  done
  return 1
}

# answers: whether a server with this run's password listens on the port.
answers() {
  local reply=''
  {
    exec 8<>"/dev/tcp/127.0.0.1/$port" || return 1
  } 2>/dev/null
  printf 'AUTH %s\r\n' "$password" >&8
  read -r -t 5 reply <&8 || true
  exec 8>&-
  [[ $reply == +OK* ]]
}

stop() {
  if [[ -n $server ]]; then
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$home"
}

trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
create
start
export MINDSEYE_TEST_REDIS_URL="redis://default:$password@127.0.0.1:$port"
if (($#)); then
  status=0
  "$@" || status=$?
  exit "$status"
fi
echo "MINDSEYE_TEST_REDIS_URL=$MINDSEYE_TEST_REDIS_URL"
wait "$server"
