#!/usr/bin/env bash
# Takes pictures of every page and state, at phone and desktop width, dark and light, of a studio of its own:
#   scripts/screenshots.sh [FOLDER] [what playwright takes, e.g. -g compare]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

shoot() { (cd end2end && node_modules/.bin/playwright test --config playwright.screens.config.ts "$@"); }

folder="${1:-$PWD/screenshots}"
shift || true
mkdir -p "$folder"
MINDSEYE_SCREENSHOTS="$(cd "$folder" && pwd)"
export MINDSEYE_SCREENSHOTS
step "Pictures of every page in $MINDSEYE_SCREENSHOTS" \
  shoot "$@"
