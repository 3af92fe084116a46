#!/usr/bin/env bash
# Builds the studio:  build.sh [native] [front]   (both when nothing is named)
#
# Everything native is built at once and in one profile, so that building,
# testing and benchmarking share one set of compiled crates.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

# What the browser part is made from.
FRONT_SOURCES=(app domain frontend style public Cargo.toml Cargo.lock rust-toolchain.toml .cargo/config.toml scripts/build.sh)

main() {
  local part locked=()
  if [[ -n ${CI:-} ]]; then locked=(--locked); fi
  if (($# == 0)); then set -- native front; fi
  claim_target
  for part in "$@"; do
    case "$part" in
      native) build_native ;;
      front) build_front ;;
      *) complain "build.sh knows native and front, not '$part'" && exit 2 ;;
    esac
  done
}

build_native() {
  step "Building server, worker and libraries" \
    cargo build ${locked[@]+"${locked[@]}"} --release --workspace --exclude frontend
}

# cargo-leptos makes the whole site anew each time, so it is only asked when
# one of the sources has changed.
build_front() {
  local stamp="$CARGO_TARGET_DIR/front.stamp" sources
  sources="$(front_fingerprint)"
  if [[ "$(cat "$stamp" 2>/dev/null)" == "$sources" && -e $CARGO_TARGET_DIR/release/hash.txt && -d $LEPTOS_SITE_ROOT/pkg ]]; then
    say "Browser part and styles: unchanged"
  else
    rm -f "$stamp"
    step "Building browser part and styles" leptos_build
    echo "$sources" >"$stamp"
  fi
  scripts/page-weight.sh
}

# Its colours come whether or not somebody looks.
leptos_build() {
  local build=(cargo leptos build --release --frontend-only --precompress ${locked[@]+"--cargo-locked"})
  if [[ -t 1 ]]; then
    RUST_BACKTRACE=0 "${build[@]}"
  else
    RUST_BACKTRACE=0 "${build[@]}" 2>&1 | sed 's/\x1b\[[0-9;]*m//g'
  fi
}

front_fingerprint() {
  find "${FRONT_SOURCES[@]}" -name node_modules -prune -o -type f -print0 2>/dev/null |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-64
  echo "$LEPTOS_SITE_ROOT"
}

main "$@"
