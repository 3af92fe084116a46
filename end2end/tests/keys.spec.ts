import { accessible, expect, hydrated, pictures, test } from './visitor';

// Keys that do something, and what is shown without a connection.

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, 'keys need scripts');

test('keys go to the prompt, open their list, and can be turned off', async ({ page }) => {
  await page.goto('/');
  await hydrated(page);
  const box = page.getByLabel('Describe what you would like to see');
  await page.keyboard.press('/');
  await expect(box).toBeFocused();
  await page.keyboard.type('?v');
  await expect(box).toHaveValue(/\?v/);
  await box.blur();
  await page.keyboard.press('?');
  const list = page.getByRole('dialog', { name: 'Keys' });
  await expect(list).toBeVisible();
  await accessible(page);
  await list.getByLabel('Single keys do something').uncheck();
  await page.keyboard.press('Escape');
  await expect(list).toBeHidden();
  await page.reload();
  await hydrated(page);
  await page.keyboard.press('/');
  await expect(box).not.toBeFocused();
  await page.getByRole('button', { name: 'Keyboard' }).click();
  await expect(list.getByLabel('Single keys do something')).not.toBeChecked();
  await list.getByLabel('Single keys do something').check();
  await page.keyboard.press('Escape');
  await page.locator('h1').click();
  await page.keyboard.press('/');
  await expect(box).toBeFocused();
});

test('a picture is gone on from by keys alone', async ({ page }) => {
  await page.goto('/?prompt=a+calm+lake&count=2&steps=2');
  await hydrated(page);
  await page.getByRole('button', { name: 'Create', exact: true }).press('Enter');
  await expect(pictures(page)).toHaveCount(2, { timeout: 50_000 });
  const [first, second] = await pictures(page).evaluateAll((found) => found.map((img) => img.getAttribute('src')!.replace('/media/', '/p/')));
  await page.locator('article.job a[href^="/p/"]').first().press('Enter');
  // The address is there before the page is: a key is for what is shown.
  const leads = (key: string, to: string) => expect(page.locator(`[aria-keyshortcuts="${key}"]`)).toHaveAttribute('href', to);
  await leads('ArrowRight', second);
  await page.keyboard.press('ArrowRight');
  await expect(page).toHaveURL(new RegExp(`${second}$`));
  await leads('ArrowLeft', first);
  await page.keyboard.press('ArrowLeft');
  await expect(page).toHaveURL(new RegExp(`${first}$`));
  await leads('ArrowRight', second);
  await page.keyboard.press('v');
  await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
  await expect(page.locator('figure.from')).toContainText('varied a little');
});

test.describe('without a connection', () => {
  test.use({ serviceWorkers: 'allow' });

  test('a page of ours says that nothing was lost', async ({ page, context }) => {
    await page.goto('/');
    await hydrated(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await context.setOffline(true);
    await page.goto('/history');
    await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
    await accessible(page);
    await context.setOffline(false);
    await page.getByRole('link', { name: 'Try again' }).click();
    await expect(page.getByRole('heading', { name: 'Your history' })).toBeVisible();
  });
});
