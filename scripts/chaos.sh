#!/usr/bin/env bash
# The chaos trials: real heads, workers, PostgreSQL and Redis, which are killed,
# frozen, cut off and restarted while people use them. docs/chaos.md says what
# each one does. Not part of 'make test'.
#
#   chaos.sh                  all of them
#   chaos.sh TRIAL...         kill takeover zombie partition rolling burst
#
#   MINDSEYE_CHAOS_SEED       repeats a run; it is printed by every run
#   MINDSEYE_CHAOS_JOBS       jobs of 'kill' (10000) and of 'burst' (200)
#   MINDSEYE_CHAOS_KILLS      kills of 'kill' (200)
#   MINDSEYE_CHAOS_RESTARTS   restarts of 'rolling' (20)
#   MINDSEYE_CHAOS_KEEP=1     keep logs and data; they are kept anyway on failure
#
# 'partition' and 'burst' make network namespaces and so need root; without it
# they say so and are skipped.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

TRIALS=(kill takeover zombie partition rolling burst)

main() {
  local trial
  for trial in "$@"; do
    [[ " ${TRIALS[*]} " == *" $trial "* ]] || {
      complain "There is no trial called $trial: ${TRIALS[*]}"
      exit 2
    }
  done
  if (($# == 0)); then set -- "${TRIALS[@]}"; fi
  have redis-server || {
    complain "No Redis was found: run 'make setup'."
    exit 1
  }
  MINDSEYE_CHAOS_POSTGRES="$(postgres_bin)" || {
    complain "No PostgreSQL 15 or later was found: run 'make setup'."
    exit 1
  }
  MINDSEYE_CHAOS_POSTGRES_USER=''
  if ((EUID == 0)); then
    MINDSEYE_CHAOS_POSTGRES_USER=nobody
    if id postgres >/dev/null 2>&1; then MINDSEYE_CHAOS_POSTGRES_USER=postgres; fi
  fi
  export MINDSEYE_CHAOS_POSTGRES MINDSEYE_CHAOS_POSTGRES_USER
  claim_target
  step "Building the studio" cargo build --quiet --release --workspace --exclude frontend
  step "Building the trials" cargo test --quiet --release --workspace --exclude frontend --test chaos --no-run
  for trial in "$@"; do
    step "Trial: $trial" cargo test --quiet --release --workspace --exclude frontend --test chaos -- \
      --ignored --nocapture --test-threads=1 "$trial::"
  done
}

main "$@"
