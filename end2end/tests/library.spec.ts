import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { accessible, expect, hydrated, test } from './visitor';

// Words that are kept, found, changed and used again; and everything out as one file and in again.

const entries = (page: Page) => page.locator('li.kept');

async function bringIn(page: Page, list: string) {
  await page.goto('/library');
  await page.getByLabel('Or a list, with a prompt on each line').fill(list);
  await page.getByRole('button', { name: 'Bring it in' }).click();
}

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.skip(({ javaScriptEnabled }) => (javaScriptEnabled !== false) !== scripts);

    test('a job’s words are kept and used again', async ({ page }) => {
      await page.goto('/');
      const answer = await page.request.post('/api/v1/generations', { data: { prompt: 'a red boat', count: 1, steps: 1 } });
      const { id } = await answer.json();
      await expect.poll(async () => (await (await page.request.get(`/api/v1/generations/${id}`)).json()).status).toBe('succeeded');
      await page.goto(`/g/${id}`);
      if (scripts) await hydrated(page);
      await page.getByRole('button', { name: 'Keep these words' }).click();
      if (scripts) {
        await expect(page.getByRole('button', { name: 'Words kept' })).toBeVisible();
        await page.goto('/library');
      }
      await expect(entries(page)).toHaveCount(1);
      await expect(entries(page)).toContainText('Mindseye ·');
      if (scripts) await hydrated(page);
      await page.getByRole('link', { name: 'Use these words: a red boat' }).click();
      await expect(page.getByLabel('Describe what you would like to see')).toHaveValue('a red boat');
    });

    test('a list comes in, is searched, tagged, pinned and deleted', async ({ page }) => {
      await bringIn(page, 'a mill in fog\na café at night\na blue boat');
      await expect(page.getByRole('status').filter({ hasText: 'Kept: 3 prompts' })).toBeVisible();
      await expect(entries(page).locator('h2')).toHaveText(['a mill in fog', 'a café at night', 'a blue boat']);
      await page.getByRole('searchbox').fill('NIGHT');
      await page.getByRole('searchbox').press('Enter');
      await expect(entries(page).locator('h2')).toHaveText(['a café at night']);
      if (scripts) await hydrated(page);
      await page.locator('summary', { hasText: 'Tags, note, pin' }).click();
      await page.getByLabel('Tags, with commas between them').fill('city, dark');
      await page.getByRole('textbox', { name: 'Note' }).fill('with rain');
      await page.getByRole('checkbox', { name: 'Pinned' }).check();
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(entries(page).getByText('with rain', { exact: true }).first()).toBeVisible();
      await page.goto('/library');
      await page.getByRole('navigation', { name: 'Which ones' }).getByRole('link', { name: 'city' }).click();
      await expect(entries(page)).toHaveCount(1);
      await page.getByRole('link', { name: 'Pinned', exact: true }).click();
      await expect(entries(page).locator('h2')).toHaveText(['a café at night']);
      if (scripts) await hydrated(page);
      await page.locator('summary', { hasText: 'Tags, note, pin' }).click();
      await page.getByRole('button', { name: 'Delete from the library: a café at night' }).click();
      if (scripts) await expect(page.getByText('Deleted from your library.')).toBeVisible();
      await page.goto('/library');
      await expect(entries(page)).toHaveCount(2);
    });

    test('everything is taken along and comes back to somebody else’s browser', async ({ page, browser, javaScriptEnabled }) => {
      await bringIn(page, 'a mill in fog');
      await page.request.post('/api/v1/generations', { data: { prompt: 'a red boat', count: 1, steps: 1 } });
      await expect
        .poll(async () => (await (await page.request.get('/api/v1/generations')).json()).map((job: { status: string }) => job.status))
        .toEqual(['succeeded']);
      await page.goto('/library');
      if (scripts) await hydrated(page);
      const downloading = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download everything' }).click();
      const download = await downloading;
      expect(download.suggestedFilename()).toMatch(/^mindseye-\d{4}-\d{2}-\d{2}\.zip$/);
      const archive = readFileSync(await download.path());
      const context = await browser.newContext({ javaScriptEnabled });
      const other = await context.newPage();
      await other.goto(new URL('/library', page.url()).toString());
      await other.locator('input[type=file]').setInputFiles({ name: 'mindseye.zip', mimeType: 'application/zip', buffer: archive });
      await other.getByRole('button', { name: 'Bring it in' }).click();
      await expect(other.getByText(/Kept: 1 prompt, 1 work, 1 picture\./)).toBeVisible();
      await expect(entries(other).locator('h2')).toHaveText(['a mill in fog']);
      await other.goto(new URL('/history', page.url()).toString());
      await expect(other.locator('.history-row h2')).toHaveText(['a red boat']);
      await context.close();
    });

    test('what can not be read is refused kindly', async ({ page }) => {
      await page.goto('/library');
      await page.locator('input[type=file]').setInputFiles({ name: 'a.zip', mimeType: 'application/zip', buffer: Buffer.from('PK\x03\x04 ...') });
      await page.getByRole('button', { name: 'Bring it in' }).click();
      await expect(page.getByRole('status').filter({ hasText: 'nothing of it was kept' })).toBeVisible();
      await expect(page.getByText('Nothing is kept yet')).toBeVisible();
    });
  });
}

for (const colorScheme of ['dark', 'light'] as const) {
  test(`the library stands in nobody’s way (${colorScheme})`, async ({ page, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled === false, 'axe is a script');
    await page.emulateMedia({ colorScheme });
    await page.goto('/library');
    await hydrated(page);
    await accessible(page);
    await bringIn(page, 'a mill in fog\nthe same again\nthe same again');
    await hydrated(page);
    await page.locator('summary', { hasText: 'Tags, note, pin' }).first().click();
    await page.getByLabel('Tags, with commas between them').first().fill('oil');
    await page.getByRole('checkbox', { name: 'Pinned' }).first().check();
    await page.getByRole('button', { name: 'Save' }).first().click();
    await expect(page.getByText('Saved.')).toBeVisible();
    await accessible(page);
  });
}
