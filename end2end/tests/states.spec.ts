import { STATES } from '../states';
import { accessible, test } from './visitor';

// Nothing stands in anyone's way, on every page and in every state, in both themes.

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, 'axe is a script');

for (const { name, open, locale } of STATES) {
  test.describe(name, () => {
    test.use({ locale: locale ?? 'en-US' });

    test(`${name} is accessible in both themes`, async ({ page }) => {
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
      await open(page);
      await accessible(page);
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      await accessible(page);
    });
  });
}
