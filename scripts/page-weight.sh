#!/usr/bin/env bash
# What a first visit downloads besides the page itself: scripts, WebAssembly and
# styles, compressed. Fails above the budget, so that no change can make the
# page heavy without somebody deciding it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/env.sh
source scripts/env.sh

BUDGET="${MINDSEYE_PAGE_BUDGET:-512000}" # bytes: 500 KB

# Parts that a page loads only when it is opened (split_ and chunk_ files), or
# when a challenge comes (proof/), are listed and not counted.
node - "$LEPTOS_SITE_ROOT" "$BUDGET" <<'JS'
const fs = require('fs'), path = require('path'), zlib = require('zlib');
const [site, budget] = process.argv.slice(2);
const pkg = path.join(site, 'pkg'), proof = path.join(site, 'proof');
if (!fs.existsSync(pkg)) {
  console.error(`There is no built site at ${pkg}: run 'make build' first.`);
  process.exit(1);
}
const compressed = (file) => fs.existsSync(file + '.br')
  ? fs.statSync(file + '.br').size
  : zlib.brotliCompressSync(fs.readFileSync(file)).length;
const list = (folder, isLater) => !fs.existsSync(folder) ? [] : fs.readdirSync(folder, { recursive: true })
  .filter((name) => /\.(js|wasm|css)$/.test(name)).sort()
  .map((name) => {
    const file = path.join(folder, name);
    return { name, size: fs.statSync(file).size, sent: compressed(file), later: isLater(path.basename(name)) };
  });
const files = [...list(pkg, (name) => /^(split|chunk)_/.test(name)), ...list(proof, () => true)];
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
for (const f of files) console.log(`    ${kb(f.sent).padStart(10)}  of ${kb(f.size).padStart(10)}  ${f.name}${f.later ? '  (on demand)' : ''}`);
const total = files.filter((f) => !f.later).reduce((sum, f) => sum + f.sent, 0);
console.log(`Page weight: ${kb(total)} of ${kb(Number(budget))} compressed`);
if (!files.some((f) => f.name.endsWith('.wasm'))) {
  console.error('The site has no WebAssembly file: the build is not complete.');
  process.exit(1);
}
if (total > Number(budget)) {
  console.error('The page is heavier than its budget.');
  process.exit(1);
}
JS
