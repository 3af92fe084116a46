// Runs the built studio for the browser tests: on a port of its own, with data
// of its own, which go when it stops. Its log is kept in test-results/.
//
// MINDSEYE_E2E_PORT     where it listens (playwright.config.ts chooses)
// MINDSEYE_E2E_WORKERS  its workers; by default one that runs the built-in model
// MINDSEYE_E2E_LOG      the name of its log; by default server
// MINDSEYE_E2E_BINARY   the program; by default the one that was built
import { spawn } from 'node:child_process';
import { chmodSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const { env } = process;
const target =
  env.CARGO_TARGET_DIR ?? join(env.MINDSEYE_CACHE ?? join(homedir(), '.cache/mindseye'), 'target');
const binary = env.MINDSEYE_E2E_BINARY ?? join(target, 'release/mindseye');
if (!existsSync(binary)) {
  console.error(`There is no ${binary}: run 'make build' first.`);
  process.exit(1);
}

// The database inside runs as another user when this runs as root: let it pass.
const data = mkdtempSync(join(tmpdir(), 'mindseye-e2e-'));
chmodSync(data, 0o755);
mkdirSync(join(here, 'test-results'), { recursive: true });
const log = createWriteStream(join(here, `test-results/${env.MINDSEYE_E2E_LOG ?? 'server'}.log`));

const settings = {
  ...env,
  MINDSEYE_ADDR: `127.0.0.1:${env.MINDSEYE_E2E_PORT ?? 3100}`,
  MINDSEYE_DATA: data,
  MINDSEYE_WORKERS: env.MINDSEYE_E2E_WORKERS ?? 'cpu',
  // All tests come from one address: the limits for one are not for them.
  MINDSEYE_RATE: env.MINDSEYE_RATE ?? '500',
  MINDSEYE_BURST: env.MINDSEYE_BURST ?? '500',
  // Tests say themselves which address they come from: see tests/visitor.ts.
  MINDSEYE_TRUSTED_PROXIES: env.MINDSEYE_TRUSTED_PROXIES ?? '127.0.0.1',
  LEPTOS_SITE_ROOT: env.LEPTOS_SITE_ROOT ?? join(target, 'site'),
};
delete settings.DATABASE_URL;
delete settings.REDIS_URL;

const server = spawn(binary, ['serve'], { cwd: dirname(here), env: settings, stdio: ['ignore', 'pipe', 'pipe'] });
let tail = '';
for (const stream of [server.stdout, server.stderr]) {
  stream.on('data', (chunk) => {
    log.write(chunk);
    tail = (tail + chunk).slice(-4000);
  });
}

// Whoever stops a group of processes has told the studio as well: it hears it
// from here only if it has not, since a second signal would hurry it.
let stopping = false;
function stop() {
  if (stopping) return;
  stopping = true;
  setTimeout(() => server.kill('SIGTERM'), 1_000);
  setTimeout(() => server.kill('SIGKILL'), 25_000);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

server.on('error', (error) => {
  console.error(`${binary} could not be started: ${error.message}`);
  rmSync(data, { recursive: true, force: true });
  process.exit(1);
});
server.on('close', (code, signal) => {
  rmSync(data, { recursive: true, force: true });
  const asked = stopping || signal === 'SIGTERM';
  if (!asked) console.error(`The studio stopped by itself (${signal ?? `code ${code}`}):\n${tail}`);
  process.exit(asked ? 0 : 1);
});
