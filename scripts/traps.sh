#!/usr/bin/env bash
# Puts traps back that others fell into, one after another, and looks whether
# the tests that guard against each one fail then. Every file in scripts/traps
# is one: a sentence, the tests, and a change of the code. Takes about a
# quarter of an hour; not part of 'make test'.
#
#   traps.sh            all of them
#   traps.sh TRAP...    some, by the names of their files
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

main() {
  local traps=("$@") trap patch tests failed=()
  if ((${#traps[@]} == 0)); then
    for patch in scripts/traps/*.patch; do traps+=("$(basename "$patch" .patch)"); done
  fi
  claim_target
  scratch="$(mktemp -d "${TMPDIR:-/tmp}/mindseye-traps.XXXXXX")"
  trap leave EXIT
  git worktree add --quiet --detach "$scratch/tree" HEAD
  for trap in "${traps[@]}"; do
    patch="$PWD/scripts/traps/$trap.patch"
    tests="$(sed -n 's/^tests: //p' "$patch")"
    say "$trap: $(head -n 1 "$patch")"
    git -C "$scratch/tree" apply "$patch"
    if falls_for_it "$tests"; then note "the tests fail, as they should"; else failed+=("$trap"); fi
    git -C "$scratch/tree" checkout --quiet .
  done
  if ((${#failed[@]})); then
    complain "No test fails, or the code does not build, with: ${failed[*]}"
    exit 1
  fi
  say "Each of ${#traps[@]} traps was noticed"
}

# falls_for_it TESTS: builds what is in the scratch tree; true when it builds, and the tests run and fail.
falls_for_it() {
  local -a arguments
  read -ra arguments <<<"$1"
  (
    cd "$scratch/tree"
    cargo nextest run --release --no-run "${arguments[@]}" >"$scratch/log" 2>&1 || {
      tail -n 20 "$scratch/log"
      exit 1
    }
    local status=0
    scripts/test-postgres.sh cargo nextest run --release "${arguments[@]}" >"$scratch/log" 2>&1 || status=$?
    # 100 is nextest's word for tests that ran and failed.
    ((status == 100)) || {
      tail -n 20 "$scratch/log"
      exit 1
    }
  )
}

leave() {
  # What was built last is no code of this tree.
  rm -f "$CARGO_TARGET_DIR/.clone"
  git worktree remove --force "$scratch/tree" || true
  rm -rf "$scratch"
}

main "$@"
