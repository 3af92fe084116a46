import { createHash } from 'node:crypto';
import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';

// Every test comes from an address range of its own: limits count by range, and
// one test's pictures are not to be held against another. The studio under test
// believes the header because it comes from this machine.

export { expect };

/** An address of its own for these words, in a /24 that nobody else has. */
export function address(...words: string[]): string {
  const [a, b, c] = createHash('sha256').update(words.join('\n')).digest();
  // Not of a private network: those tell no place.
  return `${100 + (a % 27)}.${b}.${c}.1`;
}

type Options = {
  /** What a trusted proxy thinks of the visitor: 1 a bot, 99 a person. */
  botScore: string | undefined;
};

export const test = base.extend<Options>({
  botScore: [undefined, { option: true }],
  extraHTTPHeaders: async ({ botScore }, use, info) => {
    const headers: Record<string, string> = {
      'X-Forwarded-For': address(info.testId, info.project.name, String(info.repeatEachIndex), String(info.retry)),
    };
    if (botScore) headers['X-Bot-Score'] = botScore;
    await use(headers);
  },
});

export async function hydrated(page: Page) {
  // The page works before; these tests want to see it work after.
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', '');
}

/** Nothing that stands in anyone's way, by the rules of WCAG 2.2 AA that a program can check. */
export async function accessible(page: Page) {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
}

export const pictures = (page: Page) => page.locator('article.job').first().locator('img[alt]:not([alt=""])');
