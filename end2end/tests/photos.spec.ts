import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { accessible, expect, hydrated, pictures, test } from './visitor';

// Beginning from a photo: chosen, dropped or pasted; refused kindly; and what becomes of it.

const fixture = (name: string) => fileURLToPath(new URL(`../../intake/tests/fixtures/${name}`, import.meta.url));
const photo = fixture('16-megapixels-alpha.webp');

test('a photo is chosen and becomes a picture', async ({ page, javaScriptEnabled }) => {
  const scripts = javaScriptEnabled !== false;
  await page.goto('/');
  if (scripts) await hydrated(page);
  await page.locator('input[type=file]').setInputFiles(photo);
  if (!scripts) await page.getByRole('button', { name: 'Use this photo' }).click();
  await expect(page).toHaveURL(/\/p\/[0-9a-f-]{36}$/);
  await expect(page.getByRole('heading', { level: 1, name: 'Your photo' })).toBeVisible();
  if (scripts) await accessible(page);
  await page.getByLabel('What should it become?').fill('a watercolor of a lake');
  await page.getByText('A lot', { exact: true }).click();
  await page.getByRole('button', { name: 'Make it' }).click();
  await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
  await expect(page.locator('figure.from')).toContainText('varied a lot');
  await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
});

test('what is no picture is refused by name', async ({ page, javaScriptEnabled }) => {
  const scripts = javaScriptEnabled !== false;
  await page.goto('/photo');
  if (scripts) await hydrated(page);
  await page.locator('input[type=file]').setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('%PDF-1.7 ...') });
  if (!scripts) await page.getByRole('button', { name: 'Use this photo' }).click();
  await expect(page.getByRole('status')).toContainText('a PDF');
  await expect(page.getByRole('status')).toContainText('nothing was kept');
  if (scripts) await accessible(page);
});

test.describe('with scripts', () => {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false);

  for (const how of ['drop', 'paste'] as const) {
    test(`a photo comes by ${how}`, async ({ page }) => {
      await page.goto('/');
      await hydrated(page);
      const bytes = readFileSync(fixture('baseline-422.jpg')).toString('base64');
      await page.evaluate(([bytes, how]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], 'a.jpg', { type: 'image/jpeg' }));
        const [target, event] = how === 'drop'
          ? [document.querySelector('.photo-card')!, new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })]
          : [document.body, new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })];
        target.dispatchEvent(event);
      }, [bytes, how]);
      await expect(page).toHaveURL(/\/p\/[0-9a-f-]{36}$/);
    });
  }

  test('sending is cancelled, and the same photo is sent again', async ({ page }) => {
    let letThrough = () => {};
    const arrived = new Promise<void>((resolve) => (letThrough = resolve));
    await page.route('**/api/v1/photos', async (route) => {
      await arrived;
      await route.continue().catch(() => {});
    });
    await page.goto('/');
    await hydrated(page);
    await page.locator('input[type=file]').setInputFiles(photo);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByRole('button', { name: 'Cancel' })).toHaveCount(0);
    letThrough();
    await page.locator('input[type=file]').setInputFiles(photo);
    await expect(page).toHaveURL(/\/p\/[0-9a-f-]{36}$/);
  });

  test('a photo that can not be sent says so, and nothing is lost', async ({ page, context }) => {
    await page.goto('/?prompt=my+words');
    await hydrated(page);
    await context.setOffline(true);
    await page.locator('input[type=file]').setInputFiles(photo);
    await expect(page.getByRole('status')).toContainText('No connection');
    await expect(page.getByLabel('Describe what you would like to see')).toHaveValue('my words');
  });
});
