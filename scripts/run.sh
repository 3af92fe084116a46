#!/usr/bin/env bash
# Runs the studio that was built. Its settings are environment variables; with
# none set it keeps its data in ./data and starts a database of its own there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

export MINDSEYE_ADDR="${MINDSEYE_ADDR:-127.0.0.1:3000}"
export MINDSEYE_DATA="${MINDSEYE_DATA:-$MINDSEYE_ROOT/data}"

say "Mindseye is starting at http://$MINDSEYE_ADDR (stop it with Ctrl-C)"
exec "$CARGO_TARGET_DIR/release/mindseye" serve "$@"
