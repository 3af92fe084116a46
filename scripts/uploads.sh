#!/usr/bin/env bash
# Sends a corpus of photos to a studio of its own, as strangers do: bombs, truncated files, files that are two things at
# once, wrong types, rotated photos, 40 megapixels. Prints the answer to each, how long it took and how much more memory
# the studio held at the peak than before the first; fails where an answer is wrong, takes 2 s or more, or more than 256 MB.
# Memory is read where Linux tells it:
#   scripts/uploads.sh
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh
# shellcheck source=scripts/lib.sh
source scripts/lib.sh

most_seconds=2
most_mb=256

claim_target
step "Building the corpus" cargo build --quiet --release --workspace --exclude frontend --example uploads
folder="$(mktemp -d)"
export MINDSEYE_E2E_PORT="${MINDSEYE_E2E_PORT:-3195}" MINDSEYE_E2E_WORKERS=none MINDSEYE_E2E_LOG=uploads
address="http://127.0.0.1:$MINDSEYE_E2E_PORT"
node end2end/serve.mjs &
studio=$!
trap 'kill "$studio" 2>/dev/null; wait "$studio" 2>/dev/null || true; rm -rf "$folder"' EXIT
curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors --output /dev/null "$address/healthz"
server="$(pgrep --parent "$studio" | head -n 1)"

# Megabytes: what the kernel counted of the studio's memory, now or at the peak since it was told to forget.
memory() { awk -v name="$1:" '$1 == name { printf "%d", $2 * 1024 / 1e6 }' "/proc/$server/status"; }

wrong=0 slowest=0 largest=0 sent=0
# What was freed may stay with the studio: what counts is how much more it has than before the first of them.
before="$(memory VmRSS)"
"$CARGO_TARGET_DIR/release/examples/uploads" "$folder" >"$folder/list"
while read -r expected file name; do
  echo 5 >"/proc/$server/clear_refs"
  # Each from somebody else.
  answer="$(curl --silent --output "$folder/answer" --write-out '%{http_code} %{time_total}' \
    --header "x-forwarded-for: 10.1.$((sent / 200)).$((sent % 200 + 1))" --header 'content-type: application/octet-stream' \
    --data-binary "@$folder/$file" "$address/api/v1/photos")"
  status="${answer% *}" seconds="${answer#* }"
  grown=$(($(memory VmHWM) - before))
  case "$expected $status" in
    'taken 201' | 'refused 422' | 'refused 413') verdict=' ' ;;
    *) verdict='✘' wrong=$((wrong + 1)) ;;
  esac
  if awk "BEGIN { exit !($seconds >= $most_seconds || $grown > $most_mb) }"; then
    verdict='✘' wrong=$((wrong + 1))
  fi
  slowest="$(awk "BEGIN { print ($seconds > $slowest) ? $seconds : $slowest }")"
  if ((grown > largest)); then largest=$grown; fi
  sent=$((sent + 1))
  printf '%s %s %6.2f s %4d MB  %s\n' "$verdict" "$status" "$seconds" "$grown" "$name"
done <"$folder/list"
echo "$sent uploads, $wrong wrong; the slowest $slowest s, the largest $largest MB"
((wrong == 0))
