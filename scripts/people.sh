#!/usr/bin/env bash
# The simulator of people and bots: labelled traffic of a whole day against the
# real service, in about ten minutes. Writes the tables into docs/limits.md and
# fails when a promise in them is not kept.
#
#   people.sh                  everything
#   people.sh --seeds 7,8      other worlds
#   people.sh --bench-latency  what the decision takes at 500 requests a second,
#                              on a PostgreSQL that writes durably
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

claim_target
step "Building the studio and the simulator" \
  cargo build --quiet --release --workspace --exclude frontend
people=("$CARGO_TARGET_DIR/release/people" --program "$CARGO_TARGET_DIR/release/mindseye")
if [[ " $* " == *" --bench-latency"* ]]; then
  MINDSEYE_TEST_DURABLE=1 step "Latency" scripts/test-postgres.sh "${people[@]}" "$@"
else
  step "People and bots" scripts/test-postgres.sh "${people[@]}" --document docs/limits.md "$@"
fi
