import { AxeBuilder } from '@axe-core/playwright';
import { expect, hydrated, pictures, test } from './visitor';

// What a visitor does, with the real model: land, create, watch, keep.

test.describe('with scripts', () => {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false);

  test('a stranger creates four pictures and finds them again', async ({ page }) => {
    await page.goto('/');
    await hydrated(page);
    await expect(page.getByLabel('Describe what you would like to see')).toHaveValue(/./);
    await page.getByRole('button', { name: 'Create' }).click();
    const job = page.locator('article.job').first();
    await expect(job).toBeVisible();
    await expect(job.locator('progress').first()).toBeVisible({ timeout: 30_000 });
    await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
    await expect(job).toHaveAttribute('data-status', 'succeeded');
    await expect(page.locator('[data-credits]')).toHaveAttribute('data-credits', '46');
    for (const picture of await pictures(page).all()) {
      expect(await picture.evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth))).toBe(256);
    }
    await page.reload();
    await expect(pictures(page)).toHaveCount(4);
  });

  test('a reload in the middle restores what is being made', async ({ page }) => {
    await page.goto('/');
    await hydrated(page);
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.locator('article.job')).toHaveAttribute('data-status', /queued|running/);
    await page.reload();
    await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
  });

  test('nothing lies over an open setting on small phones', async ({ page }, { project }) => {
    test.skip(project.name !== 'phone', 'where there is little room');
    for (const width of [320, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await page.goto('/');
      await hydrated(page);
      // The longest that it says, once waits are known.
      await page.locator('[data-credits]').evaluate((line) => line.replaceChildren('40 credits · lately about 30 to 50 s · 50 left today'));
      await page.getByText('Settings', { exact: true }).click();
      for (const name of ['count', 'seed', 'steps', 'guidance']) {
        const own = await page.locator(`.settings [name=${name}]`).evaluate((field) => {
          const { left, top, width, height } = field.getBoundingClientRect();
          return [0.1, 0.5, 0.9].every((x) => document.elementFromPoint(left + width * x, top + height / 2) === field);
        });
        expect(own, `${name} at ${width}`).toBe(true);
      }
    }
  });

  test('a starting point fills the box, Ctrl+Enter creates, and a picture can be remixed', async ({ page }) => {
    await page.goto('/');
    await hydrated(page);
    await page.getByRole('link', { name: 'a pine forest in the fog at dawn' }).click();
    const box = page.getByLabel('Describe what you would like to see');
    await expect(box).toHaveValue('a pine forest in the fog at dawn');
    await page.getByText('Settings').click();
    await page.locator('select[name=count]').selectOption('1');
    await page.getByLabel('Steps').fill('4');
    await box.press('Control+Enter');
    await expect(pictures(page)).toHaveCount(1, { timeout: 50_000 });
    await page.getByRole('button', { name: 'Go on from picture 1' }).click();
    await page.getByRole('link', { name: /^Remix/ }).click();
    await expect(page).toHaveURL(/seed=\d+/);
    await expect(page.locator('input[name=seed]')).toHaveValue(/^\d+$/);
    await expect(box).toHaveValue('a pine forest in the fog at dawn');
  });

  test('wrong input is answered kindly and the words stay', async ({ page }) => {
    await page.goto('/');
    await hydrated(page);
    await page.getByLabel('Describe what you would like to see').fill('   ');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('status')).toContainText('The prompt is empty');
    await page.getByLabel('Describe what you would like to see').fill('a sea');
    await page.getByText('Settings').click();
    await page.getByLabel('Steps').fill('many');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('status')).toContainText('steps');
    await expect(page.getByLabel('Describe what you would like to see')).toHaveValue('a sea');
  });

  test('cancelling gives the credits back', async ({ page }) => {
    await page.goto('/');
    await hydrated(page);
    await page.getByText('Settings').click();
    await page.locator('select[name=count]').selectOption('8');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.locator('article.job').first()).toHaveAttribute('data-status', 'cancelled');
    await expect(page.locator('[data-credits]')).toHaveAttribute('data-credits', '50');
  });

  test('words typed before the scripts arrive stay', async ({ page }) => {
    let letThrough = () => {};
    const arrived = new Promise<void>((resolve) => (letThrough = resolve));
    await page.route('**/*.wasm', async (route) => {
      await arrived;
      await route.continue();
    });
    await page.goto('/');
    const box = page.getByLabel('Describe what you would like to see');
    await box.fill('typed early');
    letThrough();
    await hydrated(page);
    await expect(box).toHaveValue('typed early');
  });

  test('the page is no wider than the screen', async ({ page }) => {
    await page.goto('/');
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  });

  test('an address can not put words into the page', async ({ page }) => {
    await page.goto('/?notice=Write%20to%20evil.example&__path=%2Fact%2Fcreate&__err=eyJjb2RlIjoieCIsInRpdGxlIjoiQmxvY2tlZCIsIm1lc3NhZ2UiOiJldmlsIn0');
    await hydrated(page);
    await expect(page.getByRole('status')).toHaveCount(0);
  });

  test('the first page is light', async ({ page }) => {
    const client = await page.context().newCDPSession(page);
    await client.send('Network.enable');
    let bytes = 0;
    client.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
    await page.goto('/', { waitUntil: 'networkidle' });
    await hydrated(page);
    console.log(`first page: ${(bytes / 1024).toFixed(0)} KiB over the wire`);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(500 * 1024);
  });
});

test.describe('without scripts', () => {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled !== false);

  test('a form makes pictures and the result page refreshes itself', async ({ page }) => {
    await page.goto('/?prompt=a+red+sun+over+a+dark+sea&count=1&steps=4');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
    await expect(page.getByRole('heading', { name: 'a red sun over a dark sea' })).toBeVisible();
    await expect(pictures(page)).toHaveCount(1, { timeout: 50_000 });
  });

  test('wrong input is answered kindly and everything stays', async ({ page }) => {
    await page.goto('/?prompt=my+own+words&count=1&steps=4000');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('status')).toContainText('A setting is out of range');
    await expect(page.getByLabel('Describe what you would like to see')).toHaveValue('my own words');
    await expect(page.getByLabel('Steps')).toHaveValue('4000');
  });
});

for (const colorScheme of ['dark', 'light'] as const) {
  test(`nothing stands in the way of anyone (${colorScheme})`, async ({ page, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled === false, 'axe is a script');
    await page.emulateMedia({ colorScheme });
    const check = async () => {
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
      expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`)).toEqual([]);
    };
    await page.goto('/');
    await hydrated(page);
    await page.getByText('Settings').click();
    await check();
    await page.goto('/g/00000000-0000-4000-8000-000000000000');
    await check();
    await page.goto('/?prompt=a+sea&count=1&steps=2');
    await hydrated(page);
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(pictures(page)).toHaveCount(1, { timeout: 50_000 });
    await check();
  });
}
