#!/usr/bin/env bash
# Form and lints of Rust and of the scripts; licences where cargo-deny is here.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

claim_target
step "Form (rustfmt)" cargo fmt --all --check
step "Lints (clippy)" cargo clippy --quiet --release --workspace --exclude frontend --all-targets -- -D warnings
if have shellcheck; then
  step "Scripts (shellcheck)" shellcheck -x scripts/*.sh .ci/run
else
  say "Scripts: not checked, since shellcheck is not installed"
fi
if have cargo-deny; then
  step "Licences and sources (cargo-deny)" cargo deny --workspace check licenses bans sources
else
  say "Licences: not checked, since cargo-deny is not installed (MINDSEYE_SETUP_DENY=1 make setup)"
fi
