#!/usr/bin/env bash
# All tests: form and lints, Rust tests against a real PostgreSQL and a real
# Redis, the browser part and its weight, the whole studio in a browser. Stops
# at the first step that fails, and ends with what the runners counted.
#
#   MINDSEYE_TEST_DATABASE_URL  a PostgreSQL of yours instead of a throwaway one;
#                               its user must be allowed to create databases
#   MINDSEYE_TEST_REDIS_URL     a Redis of yours instead of a throwaway one
#   MINDSEYE_TEST_SKIP          names of steps to leave out: lint rust front browser
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

NATIVE=(--release --workspace --exclude frontend)
logs="$(mktemp -d)"
trap 'rm -rf "$logs"' EXIT

main() {
  claim_target
  if wanted lint; then scripts/lint.sh; fi
  scripts/build.sh native
  if wanted rust; then rust_tests; fi
  if wanted front || wanted browser; then scripts/build.sh front; fi
  if wanted browser; then step "Browser tests" browser_tests; fi
  summary
}

wanted() { [[ " ${MINDSEYE_TEST_SKIP:-} " != *" $1 "* ]]; }

# Compiling comes first and without a database, so that the time of the tests
# is theirs alone.
rust_tests() {
  local run=(cargo test "${NATIVE[@]}") quiet=--quiet
  if have cargo-nextest; then run=(cargo nextest run "${NATIVE[@]}") quiet=--cargo-quiet; fi
  step "Compiling the Rust tests" "${run[@]}" --no-run "$quiet"
  step "Rust tests" logged rust with_servers "${run[@]}" --no-fail-fast
  if have cargo-nextest; then step "Rust examples in the documentation" logged doc cargo test "${NATIVE[@]}" --doc --quiet; fi
}

# with_servers COMMAND...: throwaway servers, or those that the environment names.
with_servers() {
  local within=()
  if [[ -z ${MINDSEYE_TEST_REDIS_URL:-} ]]; then within+=(scripts/test-redis.sh); fi
  if [[ -n ${MINDSEYE_TEST_DATABASE_URL:-} ]]; then
    within+=(env "DATABASE_URL=$MINDSEYE_TEST_DATABASE_URL")
  else
    within+=(scripts/test-postgres.sh)
  fi
  "${within[@]}" "$@"
}

# logged NAME COMMAND...: shows the output and keeps it for the summary.
logged() {
  local name=$1
  shift
  "$@" 2>&1 | tee "$logs/$name"
}

browser_tests() {
  (cd end2end && MINDSEYE_E2E_RESULTS="$logs/browser.json" node_modules/.bin/playwright test)
}

summary() {
  say "All tests passed ($(elapsed 0))"
  if [[ -e $logs/rust ]]; then count_rust; fi
  if [[ -e $logs/browser.json ]]; then count_browser; fi
}

# Adds up the closing lines of cargo-nextest or of cargo test.
count_rust() {
  cat "$logs"/rust "$logs"/doc 2>/dev/null | sed 's/\x1b\[[0-9;]*m//g' | awk '
    / Summary \[/ || /^test result:/ {
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) passed += $(i - 1)
        if ($i ~ /^failed/) failed += $(i - 1)
        if ($i ~ /^(skipped|ignored)/) skipped += $(i - 1)
      }
    }
    END { printf "Rust: %d passed, %d failed, %d skipped\n", passed, failed, skipped }'
}

count_browser() {
  # shellcheck disable=SC2016
  node -e '
    const { stats } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    console.log(`Browser: ${stats.expected + stats.flaky} passed, ${stats.unexpected} failed, ${stats.skipped} skipped`);
  ' "$logs/browser.json"
}

main "$@"
