import { expect, hydrated, test } from './visitor';

// What a browser tells about itself with a request for pictures, and when it does not.

const BEHAVIOUR = /^1;in=(none|mouse|touch|keyboard);n=\d{1,4};e=\d{1,3};r=\d{1,3};t=\d{1,8};f=\d{1,4};a=[01]$/;

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, 'without scripts nothing is told');

test('a hash and a few numbers go with the request, and with no other', async ({ page }) => {
  const seen: string[] = [];
  page.on('request', (request) => {
    if (request.headers()['x-mindseye-behaviour'] && !request.url().endsWith('/act/create')) seen.push(request.url());
  });
  await page.goto('/?prompt=a+sea&count=1&steps=1');
  await hydrated(page);
  for (const [x, y] of [[50, 60], [200, 90], [120, 300], [300, 310], [180, 120]]) {
    await page.mouse.move(x, y, { steps: 4 });
  }
  const create = page.getByRole('button', { name: 'Create' });
  const sent = page.waitForRequest('**/act/create');
  await create.click();
  const headers = (await sent).headers();
  expect(headers['x-mindseye-fingerprint']).toMatch(/^[0-9a-f]{64}$/);
  expect(headers['x-mindseye-behaviour']).toMatch(BEHAVIOUR);
  expect(headers['x-mindseye-behaviour']).toContain('in=mouse');
  expect(headers['x-mindseye-proof']).toBeUndefined();
  const [entropy, first] = ['e', 't'].map((key) => Number(headers['x-mindseye-behaviour'].match(`;${key}=(\\d+)`)?.[1]));
  expect(entropy).toBeGreaterThan(0);
  expect(first).toBeGreaterThan(0);
  // The same browser is the same after a reload, and its first request is timed once.
  await expect(create).toBeEnabled();
  const again = page.waitForRequest('**/act/create');
  await create.click();
  expect((await again).headers()['x-mindseye-behaviour']).toContain(`;t=${first};`);
  await page.reload();
  await hydrated(page);
  const later = page.waitForRequest('**/act/create');
  await create.click();
  expect((await later).headers()['x-mindseye-fingerprint']).toBe(headers['x-mindseye-fingerprint']);
  expect(seen).toEqual([]);
});

test('typing has a rhythm', async ({ page }) => {
  await page.goto('/?prompt=a+sea&count=1&steps=1');
  await hydrated(page);
  const box = page.getByLabel('Describe what you would like to see');
  await box.focus();
  for (const [letter, pause] of [['a', 30], ['b', 90], ['c', 20], ['d', 150], ['e', 40], ['f', 60]] as const) {
    await box.press(letter);
    await page.waitForTimeout(pause);
  }
  const sent = page.waitForRequest('**/act/create');
  await box.press('Control+Enter');
  const behaviour = (await sent).headers()['x-mindseye-behaviour'];
  expect(behaviour).toContain('in=keyboard');
  expect(Number(behaviour.match(/;r=(\d+)/)?.[1])).toBeGreaterThan(5);
});

test('who asks not to be tracked sends no fingerprint', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });
  });
  await page.goto('/?prompt=a+sea&count=1&steps=1');
  await hydrated(page);
  const sent = page.waitForRequest('**/act/create');
  await page.getByRole('button', { name: 'Create' }).click();
  const headers = (await sent).headers();
  expect(headers['x-mindseye-fingerprint']).toBeUndefined();
  expect(headers['x-mindseye-behaviour']).toMatch(BEHAVIOUR);
});

test('the operator can switch fingerprints off', async ({ page, baseURL }) => {
  const quiet = process.env.MINDSEYE_E2E_QUIET_PORT;
  test.skip(!quiet, 'needs a studio with MINDSEYE_FINGERPRINTS=off');
  await page.goto(`${new URL('/', baseURL).protocol}//127.0.0.1:${quiet}/`);
  await hydrated(page);
  await expect(page.locator('html')).toHaveAttribute('data-fingerprints', 'off');
  const sent = page.waitForRequest('**/act/create');
  await page.getByRole('button', { name: 'Create' }).click();
  expect((await sent).headers()['x-mindseye-fingerprint']).toBeUndefined();
});

test('no canvas, no WebGL, no sound', async ({ page }) => {
  await page.addInitScript(() => {
    const touched: string[] = ((window as any).touched = []);
    const spy = (owner: any, name: string) => {
      const before = owner?.prototype?.[name];
      if (before) owner.prototype[name] = function (...args: unknown[]) { touched.push(name); return before.apply(this, args); };
    };
    const HTMLCanvas = window.HTMLCanvasElement, Offscreen = (window as any).OffscreenCanvas;
    for (const name of ['getContext', 'toDataURL', 'toBlob']) spy(HTMLCanvas, name);
    for (const name of ['getContext', 'convertToBlob']) spy(Offscreen, name);
    for (const name of ['getImageData', 'measureText']) spy(window.CanvasRenderingContext2D, name);
    for (const gl of [window.WebGLRenderingContext, window.WebGL2RenderingContext]) spy(gl, 'getParameter');
    for (const name of ['AudioContext', 'OfflineAudioContext', 'OffscreenCanvas'] as const) {
      const Before = (window as any)[name];
      (window as any)[name] = new Proxy(Before, { construct(target, args) { touched.push(name); return new target(...args); } });
    }
    const create = Document.prototype.createElement;
    Document.prototype.createElement = function (this: Document, tag: string, ...rest: any[]) {
      if (/^(canvas|audio|video)$/i.test(tag)) touched.push(tag);
      return create.call(this, tag, ...rest);
    } as any;
  });
  await page.goto('/?prompt=a+sea&count=1&steps=1');
  await hydrated(page);
  const sent = page.waitForRequest('**/act/create');
  await page.getByRole('button', { name: 'Create' }).click();
  expect((await sent).headers()['x-mindseye-fingerprint']).toMatch(/^[0-9a-f]{64}$/);
  await expect(page.locator('article.job').first()).toBeVisible();
  expect(await page.evaluate(() => (window as any).touched)).toEqual([]);
});
