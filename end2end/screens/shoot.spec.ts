import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STATES } from '../states';
import { test } from '../tests/visitor';

// Pictures of every page and state, to look at: `make screenshots`.

const folder = process.env.MINDSEYE_SCREENSHOTS ?? fileURLToPath(new URL('../test-results/screenshots', import.meta.url));

for (const { name, open, locale, screen } of STATES) {
  test.describe(name, () => {
    test.use({ locale: locale ?? 'en-US' });

    test(name, async ({ page }, { project }) => {
      const shoot = async (colorScheme: 'dark' | 'light') => {
        await page.emulateMedia({ colorScheme });
        // Painted in these colours throughout.
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        await page.screenshot({ path: join(folder, `${name}-${project.name}-${colorScheme}.png`), fullPage: !screen });
      };
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await open(page);
      // What lies further down would otherwise wait until somebody scrolls there.
      await page.evaluate(() => Promise.all([...document.images].map((image) => {
        image.loading = 'eager';
        return image.decode().catch(() => {});
      })));
      await shoot('dark');
      await shoot('light');
    });
  });
}
