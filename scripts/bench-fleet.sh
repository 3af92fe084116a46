#!/usr/bin/env bash
# Measures the dispatcher: what a plan takes, and how many jobs a second go
# through submit, lease, delivery and capture on a PostgreSQL that writes
# durably.
#
#   bench-fleet.sh [JOBS]   20000 when left out
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

claim_target
step "Building the benchmarks" \
  cargo build --quiet --release --workspace --exclude frontend --example placement --example throughput
step "Placement" "$CARGO_TARGET_DIR/release/examples/placement"
MINDSEYE_TEST_DURABLE=1 step "The whole way of a job" \
  scripts/test-postgres.sh "$CARGO_TARGET_DIR/release/examples/throughput" --jobs "${1:-20000}"
