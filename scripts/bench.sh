#!/usr/bin/env bash
# Measures the engine with the built-in model.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

claim_target
# With the whole workspace, so that the crates compiled for everything else are used.
step "Building the benchmarks" cargo build --quiet --release --workspace --exclude frontend \
  --example bench_starter --example bench_upscaler
step "Benchmark of the engine" "$CARGO_TARGET_DIR/release/examples/bench_starter" "$@"
step "Benchmark of the upscaler" "$CARGO_TARGET_DIR/release/examples/bench_upscaler"
