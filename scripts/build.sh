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
FRONT_SOURCES=(app domain frontend proof style public Cargo.toml Cargo.lock rust-toolchain.toml .cargo/config.toml scripts/build.sh)

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
  if [[ "$(cat "$stamp" 2>/dev/null)" == "$sources" && -e $CARGO_TARGET_DIR/release/hash.txt && -d $LEPTOS_SITE_ROOT/pkg && -d $LEPTOS_SITE_ROOT/proof ]]; then
    say "Browser part and styles: unchanged"
  else
    rm -f "$stamp"
    step "Building browser part and styles" leptos_build
    step "Building what answers challenges" proof_build
    echo "$sources" >"$stamp"
  fi
  scripts/page-weight.sh
}

# Its colours come whether or not somebody looks.
leptos_build() {
  local build=(cargo leptos build --release --frontend-only --precompress --split ${locked[@]+"--cargo-locked"})
  if [[ -t 1 ]]; then
    RUST_BACKTRACE=0 "${build[@]}"
  else
    RUST_BACKTRACE=0 "${build[@]}" 2>&1 | sed 's/\x1b\[[0-9;]*m//g'
  fi
}

# A small program of its own, for a web worker: pages load it when a challenge
# comes, and not before. Its folder below the target keeps cargo-leptos from
# seeing other flags than its own.
proof_build() {
  local built="$CARGO_TARGET_DIR/proof" site="$LEPTOS_SITE_ROOT/proof"
  cargo build ${locked[@]+"${locked[@]}"} --quiet -p proof --profile wasm-proof --target wasm32-unknown-unknown --target-dir "$built"
  rm -rf "$site" && mkdir -p "$site"
  wasm-bindgen --target web --no-typescript --out-dir "$site" "$built/wasm32-unknown-unknown/wasm-proof/proof.wasm"
  # What Rust makes by default and every browser that is supported knows: "all features" has some that none does yet.
  wasm-opt -O3 --enable-bulk-memory --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int \
    --enable-reference-types --enable-sign-ext "$site/proof_bg.wasm" -o "$site/proof_bg.opt"
  mv "$site/proof_bg.opt" "$site/proof_bg.wasm"
  cp proof/worker.js "$site"
  node -e '
    const fs = require("fs"), path = require("path"), zlib = require("zlib");
    for (const name of fs.readdirSync(process.argv[1])) {
      const file = path.join(process.argv[1], name);
      fs.writeFileSync(file + ".br", zlib.brotliCompressSync(fs.readFileSync(file)));
    }' "$site"
}

front_fingerprint() {
  find "${FRONT_SOURCES[@]}" -name node_modules -prune -o -type f -print0 2>/dev/null |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-64
  echo "$LEPTOS_SITE_ROOT"
}

main "$@"
