import { expect, test } from './visitor';

test('the first page offers to create a picture', async ({ page }) => {
  const response = await page.goto('/');
  expect(response?.status()).toBe(200);
  await expect(page.locator('form').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Create' }).first()).toBeVisible();
});
