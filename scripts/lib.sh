# shellcheck shell=bash
# What the scripts share: saying what happens, and a few questions about the
# machine. Sourced after env.sh.

if [[ -t 1 ]]; then BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' PLAIN=$'\e[0m'; else BOLD='' DIM='' RED='' PLAIN=''; fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }
note() { printf '    %s%s%s\n' "$DIM" "$*" "$PLAIN"; }
complain() { printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# elapsed SINCE: the time since $SECONDS was SINCE, for people.
elapsed() {
  local seconds=$((SECONDS - $1))
  if ((seconds < 60)); then echo "$seconds s"; else echo "$((seconds / 60)) min $((seconds % 60)) s"; fi
}

# step HEADLINE COMMAND...: the headline, the command's own output, the time.
step() {
  local headline=$1 since=$SECONDS status=0
  shift
  say "$headline"
  "$@" || status=$?
  if ((status == 0)); then note "done in $(elapsed "$since")"; else complain "    failed after $(elapsed "$since"): $headline"; fi
  return "$status"
}

# quietly NAME COMMAND...: for long commands with much output. The output goes
# to a log, a sign of life comes every half minute, and the log's end is shown
# when the command fails.
quietly() {
  local name=$1 log status=0 beat
  shift
  mkdir -p "$MINDSEYE_CACHE/logs"
  log="$MINDSEYE_CACHE/logs/$name.log"
  : >"$log"
  heartbeat "$log" &
  beat=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$beat" 2>/dev/null || true
  wait "$beat" 2>/dev/null || true
  if ((status != 0)); then
    complain "    $name failed; the whole log is $log. From it:"
    { grep -i -m 5 'error' "$log"; echo '...'; tail -n 10 "$log"; } | cut -c 1-200 | sed 's/^/    | /' >&2
  fi
  return "$status"
}

heartbeat() {
  local log=$1 since=$SECONDS nap
  trap 'kill "$nap" 2>/dev/null; exit 0' TERM
  while kill -0 "$$" 2>/dev/null; do
    sleep 30 &
    nap=$!
    wait "$nap"
    note "$(elapsed "$since"): $(tail -n 1 "$log" | tr -d '\r' | cut -c 1-100)"
  done
}

# version_at_least HAVE WANT: both like 15.4 or 20.20.2.
version_at_least() {
  [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# postgres_bin: the folder of the newest PostgreSQL server (15 or later) here.
postgres_bin() {
  local bin version best='' best_version=0
  for bin in "$(dirname "$(command -v pg_ctl || echo /nonexistent/pg_ctl)")" /usr/lib/postgresql/*/bin; do
    [[ -x $bin/initdb && -x $bin/postgres && -x $bin/pg_ctl ]] || continue
    version="$("$bin/pg_ctl" --version | sed -E 's/.* ([0-9]+).*/\1/')"
    if ((version >= 15 && version > best_version)); then best=$bin best_version=$version; fi
  done
  [[ -n $best ]] && echo "$best"
}

# claim_target: cargo tells fresh from stale by time stamps. Two clones that
# share one CARGO_TARGET_DIR could then run each other's code, so a clone that
# was not the last to build there marks its sources as changed: its own crates
# are compiled anew, their dependencies are not.
claim_target() {
  local owner="$CARGO_TARGET_DIR/.clone"
  mkdir -p "$CARGO_TARGET_DIR"
  if [[ "$(cat "$owner" 2>/dev/null)" != "$MINDSEYE_ROOT" ]]; then
    find "$MINDSEYE_ROOT" \( -name node_modules -o -name target -o -name .git \) -prune -o \
      -name '*.rs' -type f -exec touch -c {} +
    echo "$MINDSEYE_ROOT" >"$owner"
  fi
}
