import { accessible, expect, hydrated, test } from './visitor';

// A sentence from a script becomes an ordinary prompt, with and without scripts.

test('a sentence is taken apart, and its words are used', async ({ page, javaScriptEnabled }) => {
  const scripts = javaScriptEnabled !== false;
  await page.goto('/');
  await page.getByText('Settings').click();
  await page.getByRole('link', { name: 'Take a sentence from a script apart' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'A sentence, taken apart' })).toBeVisible();
  if (scripts) await hydrated(page);
  await page.getByLabel('A sentence').fill('slow pan across a pine forest at blue hour, 35mm, black and white');
  await page.getByRole('button', { name: 'Take it apart' }).click();
  const part = (name: string) => page.locator('dl [data-part]').filter({ has: page.locator('dt', { hasText: name }) }).locator('dd');
  await expect(part('Motion')).toHaveText('slow pan');
  await expect(part('Light')).toHaveText('blue hour');
  await expect(part('Lens')).toHaveText('35mm');
  await expect(part('Grade')).toHaveText('black and white');
  if (scripts) await accessible(page);
  const words = await page.locator('#rewritten').textContent();
  await page.getByRole('link', { name: 'Use these words' }).click();
  await expect(page.getByLabel('Describe what you would like to see')).toHaveValue(words!.trim());
});

test('what is no sentence is answered, and markup stays text', async ({ page }) => {
  await page.goto('/rewrite?text=' + encodeURIComponent('<b>bold</b> <script>alert(1)</script>'));
  await expect(page.locator('#rewritten')).toContainText('<b>bold</b>');
  await page.goto('/rewrite?text=' + 'a'.repeat(2_500));
  await expect(page.getByRole('status')).toContainText('too long');
});
