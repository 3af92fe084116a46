import { fileURLToPath } from 'node:url';
import { expect, type Page } from '@playwright/test';
import { hydrated, pictures } from './tests/visitor';

// Every page and state that a person may meet, and the way there: for the tests that look for what stands in anyone's
// way, and for the pictures that people look at (`make screenshots`).

export type State = {
  name: string;
  open: (page: Page) => Promise<void>;
  /** A language that is not English. */
  locale?: string;
  /** Taken of what is on the screen, and not of the whole page. */
  screen?: boolean;
};

const PHOTO = fileURLToPath(new URL('../intake/tests/fixtures/baseline-422.jpg', import.meta.url));
const WORDS = 'a red sailing boat on a calm lake at sunset';

async function open(page: Page, path: string) {
  await page.goto(path);
  await hydrated(page);
}

/** A finished job of this visitor's, asked for as a program does. */
async function made(page: Page, prompt = WORDS, more: object = {}): Promise<{ id: string; outputs: { id: string }[] }> {
  const asked = await page.request.post('/api/v1/generations', { data: { prompt, count: 4, seed: 7, ...more } });
  expect(asked.status()).toBe(202);
  const { id } = await asked.json();
  const read = async () => (await page.request.get(`/api/v1/generations/${id}`)).json();
  await expect.poll(async () => (await read()).status, { timeout: 60_000 }).toBe('succeeded');
  return read();
}

/** Something made, and something made from it: the second one. */
async function nudged(page: Page) {
  const first = await made(page);
  const source = { media: first.outputs[1].id, strength: 0.65 };
  return { first, second: await made(page, `${WORDS}, a watercolor`, { source, parent: first.id, seed: 8 }) };
}

async function photo(page: Page) {
  await open(page, '/photo');
  await page.locator('input[type=file]').setInputFiles(PHOTO);
  await expect(page).toHaveURL(/\/p\//);
  await expect(page.getByRole('heading', { level: 1, name: 'Your photo' })).toBeVisible();
}

/** A limit that was met, as the visitor's language says it. */
async function limited(page: Page) {
  const spend = { prompt: 'a sea', count: 8, width: 512, height: 512, steps: 12 };
  const job = await (await page.request.post('/api/v1/generations', { data: spend })).json();
  await open(page, '/?prompt=a+sea&count=8&size=512x512&steps=12');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('status').first().waitFor();
  await page.request.delete(`/api/v1/generations/${job.id}`);
}

/** A check is asked for, as the studio would. */
async function checked(page: Page, visible: boolean) {
  const parameters = {
    nonce: '00'.repeat(16), salt: '00'.repeat(16), keyPrefix: 'ff'.repeat(16),
    memoryCost: 4096, cost: 1, keyLength: 32, data: { most: 261 },
  };
  const check = {
    visible, altcha: JSON.stringify({ parameters }), title: 'One moment', checking: 'Checking…', proceed: 'Continue',
    message: 'A lot comes from your network today, so we ask you to confirm that you are a person. Press Continue; it takes a few seconds, and nothing was charged.',
    lang: 'en', dir: 'ltr',
  };
  const body = JSON.stringify({ code: 'challenge_required', check });
  await page.route('**/act/create', (route) => route.fulfill({ status: 500, contentType: 'application/json', body }));
  await open(page, '/');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await (visible ? page.getByRole('button', { name: 'Continue' }) : page.getByText('Checking…')).waitFor();
}

export const STATES: State[] = [
  { name: 'first', open: (page) => open(page, '/') },
  {
    name: 'making',
    open: async (page) => {
      await open(page, `/?prompt=${encodeURIComponent(WORDS)}&count=8&steps=40`);
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await page.locator('.tile-preview').first().waitFor({ timeout: 30_000 });
    },
  },
  {
    name: 'made',
    open: async (page) => {
      await open(page, `/?prompt=${encodeURIComponent(WORDS)}&seed=7`);
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await expect(pictures(page)).toHaveCount(4, { timeout: 60_000 });
    },
  },
  {
    name: 'settings-and-notice',
    open: async (page) => {
      await open(page, '/');
      await page.getByText('Settings').click();
      await page.getByLabel('Steps').fill('many');
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await page.getByRole('status').waitFor();
    },
  },
  {
    name: 'job',
    open: async (page) => {
      const { id } = await made(page);
      await open(page, `/g/${id}`);
    },
  },
  {
    name: 'job-trail',
    open: async (page) => {
      const { second } = await nudged(page);
      await open(page, `/g/${second.id}`);
    },
  },
  {
    name: 'job-sheet',
    screen: true,
    open: async (page) => {
      const { id } = await made(page);
      await open(page, `/g/${id}`);
      await page.getByRole('button', { name: 'Go on from picture 1' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'picture',
    open: async (page) => {
      const { outputs } = await made(page);
      await open(page, `/p/${outputs[0].id}`);
    },
  },
  {
    name: 'picture-part',
    open: async (page) => {
      const { outputs } = await made(page);
      await open(page, `/p/${outputs[0].id}?how=part`);
    },
  },
  {
    name: 'compare',
    open: async (page) => {
      const { first, second } = await nudged(page);
      await open(page, `/compare/${first.outputs[1].id}/${second.outputs[0].id}`);
    },
  },
  { name: 'photo', open: (page) => open(page, '/photo') },
  {
    name: 'photo-refused',
    open: async (page) => {
      await open(page, '/photo');
      const pdf = { name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('%PDF-1.7 …') };
      await page.locator('input[type=file]').setInputFiles(pdf);
      await page.getByRole('status').waitFor();
    },
  },
  { name: 'photo-taken', open: photo },
  { name: 'history-empty', open: (page) => open(page, '/history') },
  {
    name: 'history',
    open: async (page) => {
      for (const prompt of [WORDS, 'two planets above dunes, ink drawing', 'a lighthouse in the snow']) await made(page, prompt);
      await open(page, '/history');
      await page.getByRole('button', { name: /^Pin:/ }).first().click();
      await page.getByRole('button', { name: /^Pinned:/ }).first().waitFor();
    },
  },
  { name: 'history-nothing', open: (page) => open(page, '/history?q=zebra') },
  { name: 'rewrite', open: (page) => open(page, '/rewrite') },
  {
    name: 'rewrite-done',
    open: (page) => open(page, `/rewrite?text=${encodeURIComponent('slow dolly in on a weathered fisherman at dawn, backlit, teal and orange')}`),
  },
  { name: 'credits-new', open: (page) => open(page, '/credits') },
  {
    name: 'credits',
    open: async (page) => {
      await made(page, 'a sea', { count: 2, steps: 2 });
      const asked = await page.request.post('/api/v1/generations', { data: { prompt: 'a lake', count: 8 } });
      await page.request.delete(`/api/v1/generations/${(await asked.json()).id}`);
      await open(page, '/credits');
    },
  },
  { name: 'minds-eye', open: (page) => open(page, '/minds-eye') },
  {
    name: 'minds-eye-given',
    open: async (page) => {
      await open(page, '/minds-eye');
      await page.getByRole('button', { name: 'That is me' }).click();
      await page.getByText('It is yours.').waitFor();
    },
  },
  {
    name: 'keys',
    screen: true,
    open: async (page) => {
      await open(page, '/');
      await page.getByRole('button', { name: 'Keyboard' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'check-silent', screen: true, open: (page) => checked(page, false) },
  { name: 'check-asked', screen: true, open: (page) => checked(page, true) },
  { name: 'limit-german', locale: 'de-DE', open: limited },
  { name: 'limit-urdu', locale: 'ur-PK', open: limited },
  { name: 'library-empty', open: (page) => open(page, '/library') },
  {
    name: 'library',
    open: async (page) => {
      await open(page, '/library');
      await page.getByLabel(/^Or a list/).fill('a mill in fog\ntwo red apples on a table, oil painting\na lighthouse in the snow');
      await page.getByRole('button', { name: 'Bring it in' }).click();
      await page.getByText(/^Kept: 3/).waitFor();
    },
  },
  {
    name: 'picture-painted',
    open: async (page) => {
      const { outputs } = await made(page);
      await open(page, `/p/${outputs[0].id}?how=part`);
      await page.getByText('Draw it', { exact: true }).click();
      await page.locator('.picture-frame').click({ position: { x: 120, y: 90 } });
    },
  },
  {
    name: 'picture-room',
    open: async (page) => {
      const { outputs } = await made(page);
      await open(page, `/p/${outputs[0].id}?how=room`);
    },
  },
  { name: 'design', open: (page) => open(page, '/design') },
  { name: 'nowhere', open: (page) => page.goto('/nowhere').then(() => hydrated(page)) },
  { name: 'offline', open: (page) => page.goto('/offline.html').then(() => {}) },
];
