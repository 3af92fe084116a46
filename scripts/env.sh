# shellcheck shell=bash
# The environment of every script and make target. To work by hand in it:
#   source scripts/env.sh
#
# MINDSEYE_CACHE   what can be had again: tools, packages, build output.
#                  It lies outside the clone so that a fresh clone starts warm.
# CARGO_TARGET_DIR where cargo builds; your own setting is kept.

MINDSEYE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export MINDSEYE_ROOT
export MINDSEYE_CACHE="${MINDSEYE_CACHE:-$HOME/.cache/mindseye}"
export MINDSEYE_TOOLS="$MINDSEYE_CACHE/tools"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$MINDSEYE_CACHE/target}"

# Read by cargo-leptos, which writes the site there, and by the server, which
# serves it from there.
export LEPTOS_SITE_ROOT="${LEPTOS_SITE_ROOT:-$CARGO_TARGET_DIR/site}"

mindseye_prepend_path() {
  case ":$PATH:" in
    *":$1:"*) ;;
    *) PATH="$1:$PATH" ;;
  esac
}
mindseye_prepend_path "${CARGO_HOME:-$HOME/.cargo}/bin"
mindseye_prepend_path "$MINDSEYE_TOOLS/bin"
unset -f mindseye_prepend_path
export PATH
