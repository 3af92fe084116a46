#!/usr/bin/env bash
# Measures the first page of the built studio with Lighthouse's slow phone: scripts/lighthouse.sh [RUNS]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

export MINDSEYE_E2E_PORT="${MINDSEYE_E2E_PORT:-3190}"
address="http://127.0.0.1:$MINDSEYE_E2E_PORT"
# Not among what the tests need: large, and wanted rarely.
step "Bringing Lighthouse" npm ci --prefix lighthouse --ignore-scripts --no-audit --no-fund --silent
node end2end/serve.mjs &
studio=$!
trap 'kill "$studio" 2>/dev/null; wait "$studio" 2>/dev/null || true' EXIT
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null "$address/readyz"
node lighthouse/measure.mjs "$address/" "${1:-3}"
