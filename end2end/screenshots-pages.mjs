// Screenshots of the pages about credits and Mind's Eye, and of checks and kind limits, in both themes at phone and
// desktop width, to look at. The studio must trust this machine's forwarding headers:
//   MINDSEYE_TRUSTED_PROXIES=127.0.0.1 MINDSEYE_RATE=500 MINDSEYE_BURST=500 …
//   node end2end/screenshots-pages.mjs http://127.0.0.1:3000 FOLDER
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const [base = 'http://127.0.0.1:3000', folder = 'screenshots'] = process.argv.slice(2);
const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-background-networking'] });
const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
const parameters = {
  nonce: '00'.repeat(16), salt: '00'.repeat(16), keyPrefix: 'ff'.repeat(16),
  memoryCost: 4096, cost: 1, keyLength: 32, data: { most: 261 },
};
let number = Math.floor(Math.random() * 200);

for (const [name, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ['dark', 'light']) {
    for (const locale of ['en-US', 'ur-PK', 'de-DE']) {
      number += 1;
      const context = await browser.newContext({
        baseURL: base, viewport, colorScheme, locale,
        deviceScaleFactor: name === 'phone' ? 2 : 1,
        extraHTTPHeaders: { 'X-Forwarded-For': `10.99.${number}.1` },
      });
      const page = await context.newPage();
      page.on('console', (message) => message.type() === 'error' && console.error(`${name} ${colorScheme}: ${message.text()}`));
      page.on('pageerror', (error) => console.error(`${name} ${colorScheme}: ${error.message}`));
      const open = async (path) => {
        await page.goto(path);
        await page.waitForSelector('html[data-hydrated]');
      };
      const shoot = (state) => page.screenshot({ path: `${folder}/${state}-${name}-${colorScheme}.png`, fullPage: !state.startsWith('check') });
      if (locale !== 'en-US') {
        const spend = { prompt: 'a sea', count: 8, width: 512, height: 512, steps: 18 };
        const job = await (await context.request.post('/api/v1/generations', { data: spend })).json();
        await open('/?prompt=a+sea&count=8&size=512x512&steps=18');
        await page.getByRole('button', { name: 'Create' }).click();
        await page.getByRole('status').waitFor();
        await shoot(`limit-${locale.slice(0, 2)}`);
        await context.request.delete(`/api/v1/generations/${job.id}`);
        await context.close();
        continue;
      }
      await open('/credits');
      await shoot('credits-new');
      await open('/minds-eye');
      await shoot('minds-eye');
      for (const prompt of ['a sea', 'a lake', 'a forest']) {
        const job = await (await context.request.post('/api/v1/generations', { data: { prompt, count: 2, steps: 2 } })).json();
        if (prompt === 'a lake') await context.request.delete(`/api/v1/generations/${job.id}`);
      }
      await open('/credits');
      await shoot('credits');
      await page.goto('/minds-eye');
      await page.waitForSelector('html[data-hydrated]');
      await page.getByRole('button', { name: 'That is me' }).click();
      await page.getByText('It is yours.').waitFor();
      await shoot('minds-eye-given');
      await open('/credits');
      await shoot('credits-ultra');
      for (const visible of [false, true]) {
        const words = {
          title: 'One moment', checking: 'Checking…', proceed: 'Continue', lang: 'en', dir: 'ltr',
          message: 'A lot comes from your network today, so we ask you to confirm that you are a person. Press Continue; it takes a few seconds, and nothing was charged.',
        };
        const check = { visible, altcha: JSON.stringify({ parameters }), ...words };
        await page.route('**/act/create', (route) =>
          route.fulfill({ status: 500, contentType: 'application/json', body: JSON.stringify({ code: 'challenge_required', check }) }));
        await open('/');
        await page.getByRole('button', { name: 'Create' }).click();
        if (visible) {
          await page.getByRole('button', { name: 'Continue' }).waitFor();
          await shoot('check-asked');
          await page.getByRole('button', { name: 'Continue' }).press('Enter');
          await page.waitForTimeout(1_500);
          await shoot('check-started');
        } else {
          await page.getByText('Checking…').waitFor();
          await shoot('check-silent');
        }
        await page.unroute('**/act/create');
      }
      await context.close();
    }
  }
}
await browser.close();
