#!/usr/bin/env bash
# Measures the engine with the built-in model.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

claim_target
step "Benchmark of the engine" cargo run --release -p engine --example bench_starter -- "$@"
