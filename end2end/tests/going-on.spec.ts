import type { Page } from '@playwright/test';
import { accessible, expect, hydrated, pictures, test } from './visitor';

// A picture that is made from a picture, with the real model: by a press, or by words about a part of it.

/** One small picture. Pressed before the scripts have come or after, it is made. */
async function made(page: Page) {
  await page.goto('/?prompt=a+calm+lake+at+sunset&count=1&steps=4');
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(pictures(page)).toHaveCount(1, { timeout: 50_000 });
}

const source = (page: Page) => page.locator('article.job figure.from img');

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.skip(({ javaScriptEnabled }) => (javaScriptEnabled !== false) !== scripts);

    test('“vary a lot” makes pictures beside the one they come from', async ({ page }) => {
      await made(page);
      if (scripts) await hydrated(page);
      const before = await pictures(page).first().getAttribute('src');
      await page.getByRole('button', { name: 'Go on from picture 1' }).click();
      const sheet = page.getByRole('dialog', { name: 'Go on from this picture' });
      await expect(sheet).toBeVisible();
      await sheet.getByRole('button', { name: 'Vary a lot' }).click();
      await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
      await expect(source(page)).toHaveAttribute('src', before!);
      await expect(page.locator('figure.from')).toContainText('varied a lot');
      await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
      await expect(page.getByRole('heading', { name: 'a calm lake at sunset' })).toBeVisible();
    });

    test('a part is changed by words, and the rest stays', async ({ page }) => {
      await made(page);
      if (scripts) await hydrated(page);
      await page.getByRole('button', { name: 'Go on from picture 1' }).click();
      await page.getByRole('link', { name: 'Change a part…' }).click();
      await expect(page).toHaveURL(/\/p\/[0-9a-f-]{36}/);
      await page.getByText('Ground', { exact: true }).click();
      await page.getByLabel('What should be there?').fill('snow field');
      await page.getByRole('button', { name: 'Change it' }).click();
      await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
      await expect(page.locator('figure.from')).toContainText('only the ground is new');
      await expect(page.getByRole('heading', { name: 'snow field' })).toBeVisible();
      await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
    });
  });
}

test('somebody else’s picture is not there', async ({ page, browser }) => {
  await made(page);
  const id = (await pictures(page).first().getAttribute('src'))!.replace('/media/', '');
  const stranger = await browser.newContext();
  const other = await stranger.newPage();
  const answer = await other.goto(new URL(`/p/${id}`, page.url()).toString());
  expect(answer!.status()).toBe(404);
  const post = await stranger.request.post(new URL('/api/v1/generations', page.url()).toString(), {
    data: { source: { media: id } },
  });
  expect([post.status(), (await post.json()).code]).toEqual([404, 'source_gone']);
  await stranger.close();
});

for (const colorScheme of ['dark', 'light'] as const) {
  test(`sheets and picture pages stand in nobody’s way (${colorScheme})`, async ({ page, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled === false, 'axe is a script');
    await page.emulateMedia({ colorScheme });
    await made(page);
    await hydrated(page);
    const button = page.getByRole('button', { name: 'Go on from picture 1' });
    await button.focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toBeVisible();
    for (const choice of await page.locator('.go-on-choice:visible').all()) {
      expect((await choice.boundingBox())!.height).toBeGreaterThanOrEqual(44);
    }
    await accessible(page);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
    await expect(button).toBeFocused();
    await button.click();
    await page.getByRole('link', { name: 'Change a part…' }).click();
    await expect(page.getByLabel('What should be there?')).toBeVisible();
    await accessible(page);
  });
}
