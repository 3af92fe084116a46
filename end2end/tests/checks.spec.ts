import type { Page } from '@playwright/test';
import { accessible, address, expect, hydrated, pictures, test } from './visitor';

// Challenges: one that nobody notices, one with a button, and what happens when they fail.

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, 'they are answered by a script');

const create = (page: Page) => page.getByRole('button', { name: 'Create' });
const SMALL = '/?prompt=a+calm+lake&count=1&steps=1';

/** Counts what is sent to make pictures, and what is loaded for challenges. */
function watch(page: Page) {
  const seen = { sent: [] as (string | undefined)[], loaded: [] as string[] };
  page.on('request', (request) => {
    const path = new URL(request.url()).pathname;
    if (path === '/act/create') seen.sent.push(request.headers()['x-mindseye-proof']);
    if (path.startsWith('/proof/')) seen.loaded.push(path);
  });
  return seen;
}

/** The first picture is never challenged, whatever the visitor looks like. */
async function firstPicture(page: Page) {
  await page.goto(SMALL);
  await hydrated(page);
  await create(page).click();
  await expect(pictures(page)).toHaveCount(1, { timeout: 40_000 });
}

test.describe('suspicion', () => {
  test.use({ botScore: '1' });

  test('a silent check solves itself and the picture comes', async ({ page }) => {
    const seen = watch(page);
    await firstPicture(page);
    expect(seen).toEqual({ sent: [undefined], loaded: [] });
    let letThrough = () => {};
    const looked = new Promise<void>((resolve) => (letThrough = resolve));
    await page.route('**/proof/proof.js', async (route) => {
      await looked;
      await route.continue();
    });
    await create(page).click();
    await expect(page.getByText('Checking…')).toBeVisible();
    letThrough();
    await expect(page.locator('article.job')).toHaveCount(2, { timeout: 30_000 });
    await expect(page.getByText('Checking…')).toHaveCount(0);
    await expect(pictures(page)).toHaveCount(1, { timeout: 40_000 });
    expect(seen.sent).toEqual([undefined, undefined, expect.stringMatching(/^[A-Za-z0-9+/=]+$/)]);
    await expect(page.getByRole('status')).toHaveCount(0);
  });

  test('a check that can not be made ends in a kind word, and pressing again works', async ({ page }) => {
    await firstPicture(page);
    await page.route('**/proof/worker.js', (route) => route.abort());
    await create(page).click();
    await expect(page.getByRole('status')).toContainText('The check did not work this time');
    await expect(page.getByRole('status')).toContainText('nothing was charged');
    await page.unroute('**/proof/worker.js');
    await create(page).click();
    await expect(page.locator('article.job')).toHaveCount(2, { timeout: 30_000 });
  });

  test('an answer that is not taken is given once more and then never again', async ({ page }) => {
    const seen = watch(page);
    await firstPicture(page);
    let refused: { status: number; body: string } | undefined;
    await page.route('**/act/create', async (route) => {
      if (!refused) {
        const answer = await route.fetch();
        refused = { status: answer.status(), body: await answer.text() };
      }
      await route.fulfill({ ...refused, contentType: 'application/json' });
    });
    await create(page).click();
    await expect(page.getByRole('status')).toContainText('The check did not work this time', { timeout: 30_000 });
    await page.waitForTimeout(1_000);
    expect(seen.sent.map((proof) => typeof proof)).toEqual(['undefined', 'undefined', 'string', 'string']);
  });

  test('a strong suspicion asks for a button, and the keyboard is enough', async ({ page, context, playwright, baseURL }, info) => {
    test.slow();
    await firstPicture(page);
    const { width } = page.viewportSize() ?? { width: 0 };
    const mine = address(info.testId, info.project.name, String(info.repeatEachIndex), String(info.retry));
    const small = { prompt: 'a calm lake', count: 1, steps: 1 };
    // A dozen newcomers at the address with the very same words …
    for (let n = 0; n < 13; n += 1) {
      const newcomer = await playwright.request.newContext({ baseURL, extraHTTPHeaders: { 'X-Forwarded-For': mine } });
      expect((await newcomer.post('/api/v1/generations', { data: small })).status()).toBe(202);
      await newcomer.dispose();
    }
    // … and this one is used from everywhere.
    for (let n = 0; n < 9; n += 1) {
      const headers = { 'X-Forwarded-For': address(mine, String(n), String(width)), 'X-Bot-Score': '99' };
      expect((await context.request.post('/api/v1/generations', { data: { ...small, prompt: `lake ${n}` }, headers })).status()).toBe(202);
    }
    await page.getByLabel('Describe what you would like to see').press('Control+Enter');
    const proceed = page.getByRole('button', { name: 'Continue' });
    await expect(proceed).toBeFocused();
    await expect(page.locator('[data-check=visible]')).toContainText('we ask you to confirm that you are a person');
    await page.keyboard.press('Enter');
    const progress = page.getByRole('progressbar', { name: 'Checking…' });
    await expect(progress).toBeVisible();
    // The button keeps the focus while it is at work.
    await expect(page.getByRole('button', { name: 'Checking…' })).toBeFocused();
    await expect.poll(() => progress.evaluate((bar: HTMLProgressElement) => bar.position).catch(() => 1)).toBeGreaterThan(0.1);
    await expect(page.locator('[data-check=visible]')).toHaveCount(0, { timeout: 40_000 });
    await expect(page.locator('article.job').first()).toHaveAttribute('data-status', /queued|running|succeeded/);
    await expect(page.getByRole('status')).toHaveCount(0);
  });
});

for (const colorScheme of ['dark', 'light'] as const) {
  test(`the visible check stands in nobody's way (${colorScheme})`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await page.route('**/act/create', (route) =>
      route.fulfill({
        status: 500,
        contentType: 'application/json',
        body: JSON.stringify({
          code: 'challenge_required',
          check: {
            visible: true,
            title: 'One moment',
            message: 'Press Continue; it takes a few seconds, and nothing was charged.',
            checking: 'Checking…',
            proceed: 'Continue',
            lang: 'en',
            dir: 'ltr',
            altcha: JSON.stringify({
              parameters: {
                nonce: '00'.repeat(16), salt: '00'.repeat(16), keyPrefix: 'ff'.repeat(16),
                memoryCost: 4096, cost: 1, keyLength: 32, data: { most: 261 },
              },
            }),
          },
        }),
      }),
    );
    await page.goto('/');
    await hydrated(page);
    await create(page).click();
    await expect(page.getByRole('button', { name: 'Continue' })).toBeFocused();
    await accessible(page);
    await page.keyboard.press('Space');
    await expect(page.getByRole('progressbar')).toBeVisible();
    await accessible(page);
  });
}
