import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, hydrated, pictures, test } from './visitor';

// What a screen reader has to say on the main path, kept where people can read it: docs/transcript.md. A change of it is
// a change of what people hear:
//   MINDSEYE_TRANSCRIPT=write node_modules/.bin/playwright test transcript --project=desktop

const FILE = fileURLToPath(new URL('../../docs/transcript.md', import.meta.url));

/** What is announced by itself, in the order in which it is. */
function listen() {
  const heard: string[] = [];
  Object.assign(window, { heard });
  const live = '[aria-live], [role=status], [role=alert]';
  const hear = (node: Node) => {
    const element = node instanceof Element ? node : node.parentElement;
    const regions = new Set<Element>();
    const around = element?.closest(live);
    if (around) regions.add(around);
    if (node instanceof Element) for (const within of node.querySelectorAll(live)) regions.add(within);
    for (const region of regions) {
      const text = (region.textContent ?? '').replace(/\s+/g, ' ').trim();
      if (text && heard.at(-1) !== text) heard.push(text);
    }
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === 'characterData') hear(change.target);
      for (const node of change.addedNodes) hear(node);
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

test('the main path reads sensibly', async ({ page, javaScriptEnabled }, { project }) => {
  test.skip(javaScriptEnabled === false || project.name !== 'desktop', 'one transcript');
  await page.addInitScript(listen);
  const told: string[] = [];
  const say = async (title: string, selector: string) => {
    told.push(`## ${title}`, '', '```yaml', (await page.locator(selector).first().ariaSnapshot()).trimEnd(), '```', '');
  };
  const announced = async (title: string) => {
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard.splice(0));
    told.push(`## Announced ${title}`, '', ...heard.map((line) => `- ${line}`), '');
    return heard;
  };
  await page.goto('/');
  await hydrated(page);
  await say('The first page', 'body');
  await page.evaluate(() => (window as unknown as { heard: string[] }).heard.splice(0));
  await page.getByRole('link', { name: 'a white lighthouse' }).first().click();
  await page.getByText('Settings', { exact: true }).click();
  await page.getByLabel('Seed').fill('7');
  await page.getByText('Settings', { exact: true }).click();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(pictures(page)).toHaveCount(4, { timeout: 60_000 });
  await expect(page.locator('article.job')).toHaveAttribute('data-status', 'succeeded');
  const making = await announced('while four pictures are made');
  // Told often enough to know that something happens, and not so often that nothing else can be heard.
  expect(making.length).toBeGreaterThan(0);
  expect(making.length).toBeLessThanOrEqual(6);
  await say('Four pictures', 'article.job');
  await page.getByRole('button', { name: 'Go on from picture 1' }).click();
  await say('The sheet of a picture', '.sheet:popover-open');
  await page.locator('.sheet:popover-open').getByLabel('That one, but …').fill('at dawn');
  await page.locator('.sheet:popover-open').getByRole('button', { name: 'Make it' }).click();
  await expect(page).toHaveURL(/\/g\//);
  await expect(page.locator('article.job')).toHaveAttribute('data-status', 'succeeded', { timeout: 60_000 });
  await say('What became of it', 'main');
  const same = (text: string) => text
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replace(/seed \d+/g, 'seed …')
    .replace(/lately about [\d]+ to [\d]+ (s|min) · /g, '');
  const transcript = `# What a screen reader says on the main path\n\nWritten by \`end2end/tests/transcript.spec.ts\`, which fails when it changes.\n\n${same(told.join('\n'))}`;
  if (process.env.MINDSEYE_TRANSCRIPT === 'write') writeFileSync(FILE, transcript);
  // How many announcements fall together hangs on the machine: what is said between them does not.
  const settled = (text: string) => text.split('\n').filter((line) => !/^- \d of \d/.test(line)).join('\n');
  expect(settled(transcript)).toBe(settled(readFileSync(FILE, 'utf8')));
});
