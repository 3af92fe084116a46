// How long challenges take in a browser slowed down four times, the measure for a phone.
//   node end2end/measure-checks.mjs http://127.0.0.1:3000
//
// Chromium slows down a page, and not its workers. So the same program is run on the page itself, for as many
// derivations as a challenge has at most; and once in a worker, at full speed.
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const [base = 'http://127.0.0.1:3000'] = process.argv.slice(2);
const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-background-networking'] });
const page = await browser.newPage();
const session = await page.context().newCDPSession(page);
await page.goto(`${base}/credits`);
await page.waitForSelector('html[data-hydrated]');

for (const rate of [1, 4]) {
  await session.send('Emulation.setCPUThrottlingRate', { rate });
  for (const [name, most] of [['silent', 29], ['visible', 261]]) {
    const ms = await page.evaluate(async (most) => {
      const began = performance.now();
      const { default: init, Search } = await import(`/proof/proof.js?fresh=${began}`);
      await init({ module_or_path: `/proof/proof_bg.wasm?fresh=${began}` });
      const search = new Search('00'.repeat(16), '00'.repeat(16), 'ff'.repeat(16), 4096, 1, 1, 32);
      for (let n = 0; n < most; n += 1) search.step();
      return performance.now() - began;
    }, most);
    console.log(`${name}, slowed ${rate} times, on the page: ${(ms / 1000).toFixed(2)} s for ${most} derivations and loading`);
  }
}
await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
const ms = await page.evaluate(async () => {
  const began = performance.now();
  const worker = new Worker('/proof/worker.js', { type: 'module' });
  const parameters = { nonce: '00'.repeat(16), salt: '00'.repeat(16), keyPrefix: 'ff'.repeat(16), memoryCost: 4096, cost: 1, keyLength: 32 };
  const done = new Promise((resolve) => (worker.onmessage = ({ data }) => data.tried >= 29 && resolve()));
  worker.postMessage({ parameters });
  await done;
  worker.terminate();
  return performance.now() - began;
});
console.log(`at least 29 derivations in a worker, not slowed: ${(ms / 1000).toFixed(2)} s`);
await browser.close();
