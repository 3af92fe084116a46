import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { defineConfig, devices } from '@playwright/test';

// MINDSEYE_E2E_URL      test a studio that runs already, instead of starting one
// MINDSEYE_E2E_RESULTS  also write the results there, as JSON
// MINDSEYE_CHROMIUM     the browser to use

// This file is read again by every test process: the port, once chosen, travels
// to them in the environment.
const freePort = () => execFileSync(process.execPath, [
  '-e',
  'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })',
]).toString().trim();
const running = process.env.MINDSEYE_E2E_URL;
process.env.MINDSEYE_E2E_PORT ??= freePort();
// A second studio, whose operator wants no fingerprints.
if (!running) process.env.MINDSEYE_E2E_QUIET_PORT ??= freePort();
const quiet = process.env.MINDSEYE_E2E_QUIET_PORT;
const baseURL = running ?? `http://127.0.0.1:${process.env.MINDSEYE_E2E_PORT}`;

// Without any of these, Playwright's own browser is used, where it was fetched.
const chromium = [
  process.env.MINDSEYE_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
].find((path) => path && existsSync(path));

const desktop = { ...devices['Desktop Chrome'], viewport: { width: 1440, height: 900 } };
const phone = {
  ...devices['Pixel 7'],
  viewport: { width: 390, height: 844 },
  screen: { width: 390, height: 844 },
  deviceScaleFactor: 2,
};

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [
    ['list'],
    ...(process.env.MINDSEYE_E2E_RESULTS
      ? [['json', { outputFile: process.env.MINDSEYE_E2E_RESULTS }] as ['json', { outputFile: string }]]
      : []),
  ],
  use: {
    baseURL,
    // What a test answers in the studio's place must not be answered by it.
    serviceWorkers: 'block',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium,
      // The browser speaks to the studio and to nobody else.
      args: [
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'desktop', use: desktop },
    { name: 'phone', use: phone },
    { name: 'nojs', use: { ...desktop, javaScriptEnabled: false } },
  ],
  webServer: running
    ? undefined
    : [
        serve(`${baseURL}/readyz`, {}),
        serve(`http://127.0.0.1:${quiet}/healthz`, {
          MINDSEYE_E2E_PORT: String(quiet),
          MINDSEYE_E2E_LOG: 'server-quiet',
          MINDSEYE_E2E_WORKERS: 'none',
          MINDSEYE_FINGERPRINTS: 'off',
        }),
      ],
});

function serve(url: string, env: Record<string, string>) {
  return {
    command: 'node serve.mjs',
    url,
    env: { ...(process.env as Record<string, string>), ...env },
    timeout: 120_000,
    gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 30_000 },
    stdout: 'ignore' as const,
    stderr: 'pipe' as const,
  };
}
