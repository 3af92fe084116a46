import type { Page } from '@playwright/test';
import { accessible, expect, hydrated, pictures, test } from './visitor';

// The loop: see, pick, nudge, see again, compare, and go back by any step. With the real model.

/** One small picture. Pressed before the scripts have come or after, it is made. */
async function made(page: Page, words = 'a calm lake at sunset') {
  await page.goto(`/?prompt=${encodeURIComponent(words)}&count=1&steps=2`);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(pictures(page)).toHaveCount(1, { timeout: 50_000 });
}

async function nudged(page: Page, words: string) {
  await page.getByRole('button', { name: 'Go on from picture 1' }).click();
  const sheet = page.getByRole('dialog', { name: 'Go on from this picture' });
  await sheet.getByLabel('That one, but …').fill(words);
  await sheet.getByRole('button', { name: 'Make it' }).click();
  await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
  await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
}

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.skip(({ javaScriptEnabled }) => (javaScriptEnabled !== false) !== scripts);

    test('a nudge stands beside its picture, with what changed marked, one tap from where it came', async ({ page }) => {
      await made(page);
      if (scripts) await hydrated(page);
      const first = await pictures(page).first().getAttribute('src');
      await nudged(page, 'stars');
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('a calm lake at sunset, stars');
      await expect(page.locator('article.job figure.from img')).toHaveAttribute('src', first!);
      const trail = page.getByRole('navigation', { name: 'How you got here' });
      await expect(trail.getByRole('listitem')).toHaveCount(2);
      await expect(trail.locator('[aria-current="step"] ins')).toHaveText('new: stars');
      // Also when the picture came after the page.
      await expect(trail.locator('[aria-current="step"] img')).toBeVisible();
      await trail.getByRole('link').first().click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('a calm lake at sunset');
      await expect(trail.getByRole('listitem')).toHaveCount(2);
      await expect(trail.locator('[aria-current="step"]')).toHaveText('a calm lake at sunset');
    });

    test('two pictures stand side by side', async ({ page }) => {
      await made(page);
      if (scripts) await hydrated(page);
      await nudged(page, 'stars');
      if (scripts) await hydrated(page);
      await page.getByRole('button', { name: 'Go on from picture 1' }).click();
      await page.getByRole('link', { name: /^Compare/ }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Side by side' })).toBeVisible();
      await expect(page.locator('.compare img')).toHaveCount(2);
      await expect(page.locator('.compare ins')).toContainText(', stars');
      await expect(page.getByRole('row', { name: /^Seed/ })).toBeVisible();
      const before = await page.locator('.compare img').first().getAttribute('src');
      await page.getByRole('link', { name: 'Swap sides' }).click();
      await expect(page.locator('.compare img').last()).toHaveAttribute('src', before!);
      await expect(page.locator('.compare del')).toContainText(', stars');
    });

    test('a change of the words is a step of the trail, too', async ({ page }) => {
      await made(page);
      await page.getByRole('link', { name: 'Change the words' }).click();
      if (scripts) await hydrated(page);
      await page.getByLabel('Describe what you would like to see').fill('a calm sea at sunset');
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      if (scripts) await page.getByRole('link', { name: 'a calm sea at sunset' }).first().click();
      const trail = page.getByRole('navigation', { name: 'How you got here' });
      await expect(trail.locator('[aria-current="step"] del')).toContainText('lake');
      await expect(trail.locator('[aria-current="step"] ins')).toContainText('sea');
    });

    test('somebody without an idea is surprised', async ({ page }) => {
      await page.goto('/');
      if (scripts) await hydrated(page);
      await page.getByRole('button', { name: 'Surprise me' }).click();
      await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
      expect((await pictures(page).first().getAttribute('alt'))!.split(' ').length).toBeGreaterThan(3);
    });

    test('a style adds its words', async ({ page }) => {
      await page.goto('/?prompt=a+calm+lake&count=1&steps=2');
      if (scripts) await hydrated(page);
      await page.getByText('Watercolor', { exact: true }).click();
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await expect(page.getByRole('heading', { name: 'a calm lake, watercolor' })).toBeVisible();
    });
  });
}

test('the price follows the settings', async ({ page, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, 'without scripts it is told for the settings that the page came with');
  await page.goto('/');
  await hydrated(page);
  const price = page.locator('[data-price]');
  await expect(price).toHaveText(/^4 credits/);
  await page.getByText('Settings').click();
  await page.locator('select[name=count]').selectOption('1');
  await expect(price).toHaveText(/^1 credit /);
  await page.getByLabel('Steps').fill('48');
  await expect(price).toHaveAttribute('data-price', /^[2-9]$/);
  await page.getByLabel('Steps').fill('many');
  await expect(price).toHaveCount(0);
});

test('somebody else’s pictures stand beside nothing', async ({ page, browser }) => {
  await made(page);
  const id = (await pictures(page).first().getAttribute('src'))!.replace('/media/', '');
  const stranger = await browser.newContext();
  const answer = await (await stranger.newPage()).goto(new URL(`/compare/${id}/${id}`, page.url()).toString());
  expect(answer!.status()).toBe(404);
  await stranger.close();
});

for (const colorScheme of ['dark', 'light'] as const) {
  test(`trails and comparisons stand in nobody’s way (${colorScheme})`, async ({ page, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled === false, 'axe is a script');
    await page.emulateMedia({ colorScheme });
    await made(page);
    await hydrated(page);
    await nudged(page, 'at night');
    await accessible(page);
    await page.getByRole('button', { name: 'Go on from picture 1' }).click();
    await accessible(page);
    await page.getByRole('link', { name: /^Compare/ }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Side by side' })).toBeVisible();
    await accessible(page);
  });
}
