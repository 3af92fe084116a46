import { accessible, expect, hydrated, pictures, test } from './visitor';

// The pages about credits and Mind's Eye, with and without scripts, and what is said in other languages.

test('a newcomer has a whole day and an empty statement', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Your credits' }).click();
  await expect(page.getByRole('heading', { name: 'Your credits' })).toBeVisible();
  await expect(page.locator('[data-balance]')).toHaveText('50');
  await expect(page.getByText('Nothing here yet')).toBeVisible();
  await expect(page.getByText(/New ones arrive at 00:00 UTC, in \d+/)).toBeVisible();
  const prices = page.getByRole('row', { name: '512 × 512' });
  await expect(prices.getByRole('cell').first()).toHaveText('4');
});

test('pictures are on the statement, page by page', async ({ page, context }) => {
  for (const prompt of ['a sea', 'a lake']) {
    expect((await context.request.post('/api/v1/generations', { data: { prompt, count: 2, steps: 1 } })).status()).toBe(202);
  }
  await expect(async () => {
    const jobs = await (await context.request.get('/api/v1/generations')).json();
    expect(jobs.map((job: { status: string }) => job.status)).toEqual(['succeeded', 'succeeded']);
  }).toPass({ timeout: 40_000 });
  await page.goto('/credits');
  await expect(page.locator('[data-balance]')).toHaveText('46');
  await expect(page.locator('tr[data-entry=hold] .number')).toHaveText(['−2', '−2']);
  await expect(page.locator('tr[data-entry=grant] .number')).toHaveText('+50');
  await expect(page.locator('tr[data-entry=capture]')).toHaveCount(0);

  const statement = await (await context.request.get('/api/v1/credits?limit=2')).json();
  expect(statement).toMatchObject({ credits_left: 46, daily: 50, plan: 'visitor' });
  expect(statement.entries).toHaveLength(2);
  const older = await (await context.request.get(`/api/v1/credits?before=${statement.older}`)).json();
  expect(older.entries).toHaveLength(3);
  expect(older.older).toBeNull();
  await page.goto(`/credits?before=${statement.older}`);
  await expect(page.getByRole('heading', { name: 'Before that' })).toBeVisible();
  await page.getByRole('link', { name: 'The newest' }).click();
  await expect(page.locator('tr[data-entry=hold]')).toHaveCount(2);
  await page.getByRole('link', { name: 'Pictures' }).first().click();
  await expect(page).toHaveURL(/\/g\//);
  await expect(page.getByRole('heading', { name: 'a lake' })).toBeVisible();
});

test('a statement is nobody else’s, and nonsense is answered', async ({ context }) => {
  const mine = await (await context.request.get('/api/v1/credits')).json();
  expect(mine).toMatchObject({ credits_left: 50, entries: [], older: null });
  const answer = await context.request.get('/api/v1/credits?before=yesterday');
  expect(answer.status()).toBe(400);
  expect((await answer.json()).code).toBe('bad_request');
  expect(answer.headers()['cache-control']).toBe('no-store');
});

test('Mind’s Eye is one button, at once and for good', async ({ page, javaScriptEnabled }) => {
  await page.goto('/');
  if (javaScriptEnabled !== false) await hydrated(page);
  await page.getByRole('link', { name: 'Mind’s Eye' }).click();
  await expect(page.getByRole('heading', { name: 'A mind’s eye, to keep' })).toBeVisible();
  await expect(page.getByText('this browser')).toBeVisible();
  await page.getByRole('button', { name: 'That is me' }).click();
  await expect(page.getByText('It is yours.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'That is me' })).toHaveCount(0);
  await page.reload();
  await expect(page.getByText('It is yours.')).toBeVisible();
  await page.getByRole('link', { name: 'Your credits' }).first().click();
  await expect(page.locator('[data-balance]')).toHaveText('1000');
  await expect(page.locator('tr[data-entry=plan] .number')).toHaveText('+950');
});

for (const colorScheme of ['dark', 'light'] as const) {
  test(`these pages stand in nobody's way (${colorScheme})`, async ({ page, context, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled === false, 'axe is a script');
    await page.emulateMedia({ colorScheme });
    for (const path of ['/credits', '/minds-eye']) {
      await page.goto(path);
      await hydrated(page);
      await accessible(page);
    }
    await page.getByRole('button', { name: 'That is me' }).click();
    await expect(page.getByText('It is yours.')).toBeVisible();
    await accessible(page);
    await context.request.post('/api/v1/generations', { data: { prompt: 'a sea', count: 1, steps: 1 } });
    await page.goto('/credits');
    await accessible(page);
  });
}

for (const { locale, dir, title } of [
  { locale: 'de-DE', dir: 'ltr', title: 'Die Beschreibung ist leer' },
  { locale: 'ur-PK', dir: 'rtl', title: 'تفصیل خالی ہے' },
]) {
  test.describe(locale, () => {
    test.use({ locale });

    test('wrong input is answered in the visitor’s language', async ({ page, javaScriptEnabled }) => {
      await page.goto('/?count=1&steps=4');
      if (javaScriptEnabled !== false) await hydrated(page);
      await page.getByLabel('Describe what you would like to see').fill('  ');
      await page.getByRole('button', { name: 'Create' }).click();
      const notice = page.getByRole('status');
      await expect(notice).toHaveAttribute('lang', locale.slice(0, 2));
      await expect(notice).toHaveAttribute('dir', dir);
      await expect(notice).toContainText(title);
      await expect(notice).not.toContainText('prompt');
    });

    test('the daily limit is kind in the visitor’s language, and leads to the statement', async ({ page, context, javaScriptEnabled }) => {
      // A day's credits but one, in work that is quick: the price is by the request.
      const spend = { prompt: 'a sea', count: 8, width: 512, height: 512, steps: 12 };
      const quote = await (await context.request.post('/api/v1/quote', { data: spend })).json();
      expect(quote.price).toBeLessThanOrEqual(50);
      const job = await context.request.post('/api/v1/generations', { data: spend });
      expect(job.status()).toBe(202);
      await page.goto('/?prompt=a+sea&count=8&size=512x512&steps=12');
      if (javaScriptEnabled !== false) await hydrated(page);
      await page.getByRole('button', { name: 'Create' }).click();
      const notice = page.getByRole('status');
      await expect(notice).toHaveAttribute('dir', dir);
      await expect(notice).toContainText('00:00 UTC');
      await notice.getByRole('link').click();
      await expect(page).toHaveURL(/\/credits$/);
      await context.request.delete(`/api/v1/generations/${(await job.json()).id}`);
    });
  });
}

test.describe('without scripts', () => {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled !== false);
  // As automated as can be: a second picture is challenged, and the first is not.
  test.use({ botScore: '1', userAgent: 'Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0' });

  test('nothing is held against anyone, and who is challenged is told what to do', async ({ page }) => {
    await page.goto('/?prompt=a+sea&count=1&steps=1');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(pictures(page)).toHaveCount(1, { timeout: 40_000 });
    await page.goto('/?prompt=a+sea&count=1&steps=1');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page).toHaveURL(/notice=challenge_required/);
    const notice = page.getByRole('status');
    await expect(notice).toContainText('Please allow scripts for this page');
    await expect(notice).toContainText('Nothing was charged');
    await expect(page.getByLabel('Describe what you would like to see')).toHaveValue('a sea');
  });
});
