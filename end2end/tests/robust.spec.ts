import type { Page } from '@playwright/test';
import { expect, hydrated, pictures, test } from './visitor';

// Flaky networks, impatient fingers, and scripts that break: the page goes on as one without scripts would.

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, 'it is about scripts');

const create = (page: Page) => page.getByRole('button', { name: 'Create', exact: true });

/** Counts what is sent to make pictures; each waits until it is let through. */
async function held(page: Page) {
  const sent: string[] = [];
  let letThrough = () => {};
  const looked = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route('**/act/create', async (route) => {
    sent.push(route.request().postData() ?? '');
    await looked;
    await route.continue().catch(() => {});
  });
  return { sent, letThrough };
}

test('a page whose code does not come is asked of the server', async ({ page }) => {
  await page.goto('/');
  await hydrated(page);
  await page.route('**/pkg/split_*', (route) => route.abort());
  await page.getByRole('link', { name: 'History', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Your history' })).toBeVisible();
  await expect(page).toHaveURL(/\/history$/);
  // There, too, its code does not come: the page is there all the same, and its links work.
  await expect(page.locator('html')).toHaveAttribute('data-broken', '');
  await page.getByRole('link', { name: 'Mindseye' }).click();
  await hydrated(page);
});

test('what is pressed twice is sent once', async ({ page }) => {
  const { sent, letThrough } = await held(page);
  await page.goto('/?prompt=a+calm+lake&count=1&steps=1');
  await hydrated(page);
  await create(page).click();
  await expect(create(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Sending…' }).click();
  await page.getByRole('button', { name: 'Surprise me' }).click();
  await page.locator('#prompt').press('Control+Enter');
  letThrough();
  await expect(pictures(page)).toHaveCount(1, { timeout: 30_000 });
  expect(sent).toHaveLength(1);
  await expect(page.locator('article.job')).toHaveCount(1);
});

test('what is pressed twice before the scripts have come is sent once', async ({ page }) => {
  await page.route('**/pkg/*.wasm', (route) => route.abort());
  await page.goto('/?prompt=a+calm+lake&count=1&steps=1');
  const stopped = await page.evaluate(() => {
    const form = document.querySelector<HTMLFormElement>('form.composer')!;
    // Only what the browser would go on to send counts.
    let sends = 0;
    form.addEventListener('submit', (event) => {
      sends += 1;
      event.preventDefault();
    });
    form.requestSubmit();
    form.requestSubmit();
    return sends;
  });
  expect(stopped).toBe(1);
});

test('when the scripts break, links and forms are the browser’s own', async ({ page }) => {
  await page.goto('/?prompt=a+calm+lake&count=1&steps=1');
  await hydrated(page);
  await page.evaluate(() => {
    document.documentElement.dataset.broken = '';
    delete document.documentElement.dataset.hydrated;
    Object.assign(window, { before: true });
  });
  await create(page).click();
  await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
  expect(await page.evaluate(() => 'before' in window)).toBe(false);
  await expect(pictures(page)).toHaveCount(1, { timeout: 30_000 });
});

test('each step made on the page follows the one before it', async ({ page }) => {
  await page.goto('/?prompt=a+calm+lake&count=1&steps=1');
  await hydrated(page);
  await create(page).click();
  await expect(pictures(page)).toHaveCount(1, { timeout: 30_000 });
  await page.locator('#prompt').fill('a calm lake at night');
  await create(page).click();
  await expect(page.locator('article.job')).toHaveCount(2);
  await page.getByRole('link', { name: 'a calm lake at night' }).first().click();
  const trail = page.getByRole('navigation', { name: 'How you got here' });
  await expect(trail.getByRole('listitem')).toHaveCount(2);
  await expect(trail.locator('[aria-current="step"] ins')).toContainText('at night');
});

test('what was chosen before the scripts came has its price', async ({ page }) => {
  let letThrough = () => {};
  const looked = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route('**/pkg/*.wasm', async (route) => {
    await looked;
    await route.continue();
  });
  await page.goto('/?count=3', { waitUntil: 'commit' });
  await page.getByText('Settings', { exact: true }).click();
  await expect(page.locator('select[name=count]')).toHaveValue('3');
  await page.locator('select[name=count]').selectOption('1');
  letThrough();
  await hydrated(page);
  await expect(page.locator('[data-price]')).toHaveText(/^1 credit /);
});
