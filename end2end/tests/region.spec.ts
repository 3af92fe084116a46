import type { Page } from '@playwright/test';
import { accessible, expect, hydrated, pictures, test } from './visitor';

// A part of a picture is painted: with a brush, by taps alone, by keys alone, as a rectangle; and a picture gets more
// room. With the real model.

/** One small picture's page, with this form open. */
async function opened(page: Page, how: string, rest = '') {
  await page.goto('/?prompt=a+calm+lake+at+sunset&count=1&steps=4&size=128x128');
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(pictures(page)).toHaveCount(1, { timeout: 50_000 });
  const id = (await pictures(page).first().getAttribute('src'))!.replace('/media/', '');
  await page.goto(`/p/${id}?how=${how}${rest}`);
}

const sheet = (page: Page) => page.getByRole('application', { name: 'The picture, to paint on' });
const told = (page: Page) => page.locator('#change').getByRole('status');
const pressed = (page: Page, name: string) => page.locator('#change').getByRole('button', { name, exact: true });

/** Painting is chosen, and the picture is where it can be painted on. */
async function painting(page: Page) {
  await hydrated(page);
  await expect(sheet(page)).toBeHidden();
  await page.getByText('Draw it', { exact: true }).click();
  await expect(sheet(page)).toBeVisible();
  await expect(told(page)).toHaveText('Nothing is painted yet.');
  await sheet(page).scrollIntoViewIfNeeded();
}

/** Which of the cells that the form would send are painted, as [column, row]. */
async function painted(page: Page): Promise<[number, number][]> {
  const bytes = Buffer.from(await page.locator('#change input[name=cells]').inputValue(), 'base64url');
  expect(bytes.length).toBe(128);
  const cells = Array.from({ length: 1024 }, (_, at) => at).filter((at) => bytes[at >> 3] & (0x80 >> (at & 7)));
  return cells.map((at) => [at % 32, at >> 5]);
}

/** The middle of a cell, on the screen. */
async function at(page: Page, column: number, row: number): Promise<[number, number]> {
  const { x, y, width, height } = (await sheet(page).boundingBox())!;
  return [x + ((column + 0.5) * width) / 32, y + ((row + 0.5) * height) / 32];
}

async function drag(page: Page, from: [number, number], to: [number, number]) {
  await page.mouse.move(...(await at(page, ...from)));
  await page.mouse.down();
  await page.mouse.move(...(await at(page, ...to)), { steps: 3 });
  await page.mouse.up();
}

/** Says what should be there, and waits for it. */
async function change(page: Page) {
  await page.locator('#change').getByLabel('What should be there?').fill('a sailing boat');
  await page.getByRole('button', { name: 'Change it' }).click();
  await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
  await expect(page.locator('figure.from')).toContainText('only what was painted is new');
  await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
}

test.describe('with scripts', () => {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false);

  test('a brush paints what should change', async ({ page }) => {
    await opened(page, 'part');
    await painting(page);
    await pressed(page, 'Small').click();
    await sheet(page).scrollIntoViewIfNeeded();
    await drag(page, [4, 10], [24, 10]);
    await expect(told(page)).toHaveText('Painted: 2 of 100 of the picture.');
    expect(await painted(page)).toEqual(Array.from({ length: 21 }, (_, at) => [at + 4, 10]));
    await pressed(page, 'Eraser').click();
    await sheet(page).scrollIntoViewIfNeeded();
    await drag(page, [4, 10], [8, 10]);
    expect((await painted(page)).length).toBe(16);
    await pressed(page, 'Undo').click();
    expect((await painted(page)).length).toBe(21);
    await pressed(page, 'Clear').click();
    await expect(told(page)).toHaveText('Nothing is painted yet.');
    await pressed(page, 'Undo').click();
    await change(page);
  });

  test('taps alone do it', async ({ page, hasTouch }) => {
    await opened(page, 'part');
    await painting(page);
    const tap = async (column: number, row: number) => {
      await sheet(page).scrollIntoViewIfNeeded();
      const place = await at(page, column, row);
      await (hasTouch ? page.touchscreen.tap(...place) : page.mouse.click(...place));
    };
    await tap(8, 8);
    await tap(20, 20);
    await expect(told(page)).toHaveText('Painted: 4 of 100 of the picture.');
    await tap(8, 8);
    await expect(told(page)).toHaveText('Painted: 2 of 100 of the picture.');
    await pressed(page, 'Rectangle').click();
    await tap(2, 3);
    await expect(told(page)).toContainText('opposite corner');
    await tap(5, 4);
    const cells = await painted(page);
    expect(cells.filter(([column, row]) => column <= 5 && row <= 4).length).toBe(8);
    await change(page);
  });

  test('keys alone do it', async ({ page }) => {
    await opened(page, 'part');
    await painting(page);
    await pressed(page, 'Small').press('Enter');
    await pressed(page, 'Use the keyboard').press('Enter');
    await expect(sheet(page)).toBeFocused();
    await expect(page.locator('.paint-cursor').last()).toBeVisible();
    const url = page.url();
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('ArrowUp');
    await expect(told(page)).toHaveText('Column 13, row 16: not painted');
    await page.keyboard.press('Space');
    expect(await painted(page)).toEqual([[12, 15]]);
    await page.keyboard.press('r');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('r');
    expect((await painted(page)).length).toBe(10);
    await page.keyboard.press('Control+z');
    expect(await painted(page)).toEqual([[12, 15]]);
    // Keys that do something elsewhere do nothing here.
    await page.keyboard.press('v');
    await page.keyboard.press('r');
    await page.keyboard.press('Escape');
    await expect(sheet(page)).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(pressed(page, 'Use the keyboard')).toBeFocused();
    expect(page.url()).toBe(url);
    await change(page);
  });

  test('a rectangle is dragged, and nothing painted is said kindly', async ({ page }) => {
    await opened(page, 'part');
    await painting(page);
    await page.getByRole('button', { name: 'Change it' }).click();
    await expect(page.locator('.notice')).toBeVisible();
    await expect(sheet(page)).toBeVisible();
    await pressed(page, 'Rectangle').click();
    await sheet(page).scrollIntoViewIfNeeded();
    await drag(page, [28, 20], [16, 31]);
    expect((await painted(page)).length).toBe(13 * 12);
    await expect(told(page)).toHaveText('Painted: 15 of 100 of the picture.');
    // A place instead: what was painted waits.
    await page.locator('#change').getByText('Sky', { exact: true }).click();
    await expect(sheet(page)).toBeHidden();
    await page.getByText('Draw it', { exact: true }).click();
    expect((await painted(page)).length).toBe(13 * 12);
    await change(page);
  });

  for (const colorScheme of ['dark', 'light'] as const) {
    test(`painting and making room stand in nobody’s way (${colorScheme})`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await opened(page, 'part');
      await painting(page);
      await page.getByText('Make room…', { exact: true }).click();
      await pressed(page, 'Use the keyboard').press('Enter');
      await page.keyboard.press('Space');
      for (const choice of await page.locator('#change .chip:visible, #change .button-quiet:visible, #room .chip:visible').all()) {
        expect((await choice.boundingBox())!.height).toBeGreaterThanOrEqual(44);
      }
      await accessible(page);
    });
  }
});

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.skip(({ javaScriptEnabled }) => (javaScriptEnabled !== false) !== scripts);

    test('a picture gets more room', async ({ page }) => {
      await opened(page, 'room');
      if (scripts) await hydrated(page);
      const room = page.locator('#room');
      await room.getByText('To the right', { exact: true }).click();
      await room.getByText('Half', { exact: true }).click();
      await room.getByRole('button', { name: 'Make room' }).click();
      await expect(page).toHaveURL(/\/g\/[0-9a-f-]{36}$/);
      await expect(page.locator('figure.from')).toContainText('more room to the right');
      await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
      await expect(page.getByRole('heading', { name: 'a calm lake at sunset' })).toBeVisible();
      await expect(pictures(page).first()).toHaveAttribute('width', '192');
      await expect(pictures(page).first()).toHaveAttribute('height', '128');
    });
  });
}

test('a form that comes back keeps what was chosen', async ({ page, javaScriptEnabled }) => {
  await opened(page, 'room', '&room=above&by=0.5&prompt=stars&notice=nothing');
  if (javaScriptEnabled !== false) await hydrated(page);
  const room = page.locator('#room');
  await expect(room.locator('input[value="above"]')).toBeChecked();
  await expect(room.locator('input[value="0.5"]')).toBeChecked();
});

test('without scripts a part has a name, and nothing offers to paint', async ({ page, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled !== false, 'for browsers without scripts');
  await opened(page, 'part');
  await expect(page.getByText('Draw it', { exact: true })).toBeHidden();
  await expect(page.getByRole('application')).toBeHidden();
  await page.locator('#change').getByText('Left side', { exact: true }).click();
  await page.locator('#change').getByLabel('What should be there?').fill('a tall tree');
  await page.getByRole('button', { name: 'Change it' }).click();
  await expect(page.locator('figure.from')).toContainText('only the left is new');
  await expect(pictures(page)).toHaveCount(4, { timeout: 50_000 });
});
