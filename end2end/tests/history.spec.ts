import type { Page } from '@playwright/test';
import { accessible, expect, hydrated, test } from './visitor';

// What somebody made is found again: by its words, by its pin, page by page.

async function made(page: Page, words: string[]) {
  await page.goto('/');
  for (const prompt of words) {
    const answer = await page.request.post('/api/v1/generations', { data: { prompt, count: 1, steps: 1 } });
    expect(answer.status()).toBe(202);
  }
}

const rows = (page: Page) => page.locator('.history-row');

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.skip(({ javaScriptEnabled }) => (javaScriptEnabled !== false) !== scripts);

    test('words find what was made, and a pin keeps it at hand', async ({ page }) => {
      await made(page, ['a red boat', 'a blue boat', 'a forest']);
      await page.getByRole('link', { name: 'History', exact: true }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Your history' })).toBeVisible();
      await expect(rows(page).locator('h2')).toHaveText(['a forest', 'a blue boat', 'a red boat']);
      await page.getByRole('searchbox').fill('BOAT red');
      await page.getByRole('searchbox').press('Enter');
      await expect(rows(page).locator('h2')).toHaveText(['a red boat']);
      if (scripts) await hydrated(page);
      const pin = page.getByRole('button', { name: 'Pin: a red boat' });
      await pin.click();
      const off = page.getByRole('button', { name: 'Pinned: a red boat' });
      await expect(off).toHaveText('Pinned');
      if (scripts) await expect(off).toBeFocused();
      await page.goto('/history');
      await page.getByRole('link', { name: 'Pinned', exact: true }).click();
      await expect(rows(page).locator('h2')).toHaveText(['a red boat']);
      if (scripts) await hydrated(page);
      await page.getByRole('button', { name: 'Pinned: a red boat' }).click();
      await expect(page.getByRole('button', { name: /^Pinned/ })).toHaveCount(0);
      await page.goto('/history?q=nothing+like+it');
      await expect(page.getByText('Nothing has these words')).toBeVisible();
    });

    test('older ones are a page away, and words are used again', async ({ page }) => {
      await made(page, Array.from({ length: 22 }, (_, at) => `a sea, ${at}`));
      await page.goto('/history');
      await expect(rows(page)).toHaveCount(20);
      if (scripts) await hydrated(page);
      await page.getByRole('link', { name: 'Older ones' }).click();
      await expect(rows(page).locator('h2')).toHaveText(['a sea, 1', 'a sea, 0']);
      await page.getByRole('link', { name: 'Use again: a sea, 0' }).click();
      await expect(page.getByLabel('Describe what you would like to see')).toHaveValue('a sea, 0');
    });
  });
}

test('a history is its owner’s alone', async ({ page, browser }) => {
  await made(page, ['a secret garden']);
  const stranger = await browser.newContext();
  const other = await stranger.newPage();
  await other.goto(new URL('/history', page.url()).toString());
  await expect(other.getByText('Nothing here yet')).toBeVisible();
  await stranger.close();
});

for (const colorScheme of ['dark', 'light'] as const) {
  test(`the history stands in nobody’s way (${colorScheme})`, async ({ page, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled === false, 'axe is a script');
    await page.emulateMedia({ colorScheme });
    await page.goto('/history');
    await hydrated(page);
    await accessible(page);
    await made(page, ['a red boat', 'a blue boat']);
    await page.goto('/history');
    await hydrated(page);
    await page.getByRole('button', { name: 'Pin: a red boat' }).click();
    await expect(page.getByRole('button', { name: 'Pinned: a red boat' })).toBeVisible();
    await accessible(page);
  });
}
