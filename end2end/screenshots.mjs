// Screenshots of the pages in both themes at phone and desktop width, to look at.
//   node end2end/screenshots.mjs http://127.0.0.1:3000 FOLDER
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const [base = 'http://127.0.0.1:3000', folder = 'screenshots'] = process.argv.slice(2);
const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-background-networking'] });
const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };

for (const [name, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ['dark', 'light']) {
    const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: name === 'phone' ? 2 : 1 });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.error(`${name} ${colorScheme}: ${message.text()}`));
    page.on('pageerror', (error) => console.error(`${name} ${colorScheme}: ${error.message}`));
    const shoot = (state) => page.screenshot({ path: `${folder}/${state}-${name}-${colorScheme}.png` });
    await page.goto(base);
    await page.waitForSelector('html[data-hydrated]');
    await shoot('first');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.locator('article.job progress').first().waitFor();
    await page.waitForFunction(() => document.querySelector('.tile-preview'));
    await shoot('making');
    await page.waitForSelector('article.job[data-status="succeeded"]', { timeout: 60_000 });
    await page.waitForTimeout(300);
    await shoot('made');
    await page.locator('article.job h3 a').first().click();
    await page.waitForURL(/\/g\//);
    await page.waitForTimeout(300);
    await shoot('result');
    await page.goto(base);
    await page.waitForSelector('html[data-hydrated]');
    await page.getByText('Settings').click();
    await page.getByLabel('Steps').fill('many');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('status').waitFor();
    await shoot('settings-and-notice');
    await page.goto(`${base}/nowhere`);
    await shoot('nowhere');
    await context.close();
  }
}
await browser.close();
