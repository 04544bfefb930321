// The pictures of a product: in the page and enlarged, by finger, mouse and keys. Without script one opens by itself.

import type { Locator, Page } from '@playwright/test';
import { type Shopper, expect, test } from '../support.ts';

/** Three pictures. */
const PRODUCT = '/p/air-laptop-14';

/** A finger that moves sideways over something and is lifted. */
async function swipe(page: Page, over: Locator, by: number): Promise<void> {
  const box = await over.boundingBox();
  if (!box) throw new Error('there is nothing to swipe');
  const session = await page.context().newCDPSession(page);
  const y = Math.round(box.y + box.height / 2);
  const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', way: number) => {
    const x = Math.round(box.x + box.width / 2 + (way - 0.5) * by);
    await session.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] });
    await page.waitForTimeout(16);
  };
  await touch('touchStart', 0);
  for (let way = 0.1; way < 1.05; way += 0.1) await touch('touchMove', way);
  await touch('touchEnd', 1);
  await session.detach();
}

/** The parts of the viewer, opened at a picture. */
async function enlarge({ page, t }: Shopper, n = 1) {
  await page.getByRole('link', { name: t('catalog.enlarge', { n }) }).click();
  const viewer = page.getByRole('dialog', { name: t('catalog.viewer') });
  await expect(viewer).toContainText(`${n} / 3`);
  const strip = viewer.getByRole('list', { name: t('catalog.zoom_hint') });
  const picture = (n: number) => strip.getByRole('img', { name: new RegExp(`· ${t('catalog.picture', { n })}$`) });
  /** How far the picture in view is moved under its frame. */
  const offset = (n: number) => strip.getByRole('listitem').nth(n - 1).evaluate((slide) => [slide.scrollLeft, slide.scrollTop]);
  return { viewer, strip, picture, offset };
}

/** How often a picture is larger than its frame. */
async function scale(picture: Locator): Promise<number> {
  return picture.evaluate((image) => image.clientWidth / (image.parentElement?.clientWidth ?? 1));
}

test.beforeEach(async ({ shopper }) => {
  await shopper.open(PRODUCT);
});

test('pictures are enlarged and paged through by keyboard', async ({ shopper, page, t }) => {
  const { viewer, picture } = await enlarge(shopper);
  await expect(picture(1)).toBeInViewport({ ratio: 0.99 });
  await page.keyboard.press('ArrowRight');
  await expect(viewer).toContainText('2 / 3');
  await expect(picture(2)).toBeInViewport({ ratio: 0.99 });
  await expect(picture(1)).not.toBeInViewport();
  await viewer.getByRole('button', { name: t('catalog.previous_picture') }).click();
  await expect(picture(1)).toBeInViewport({ ratio: 0.99 });
  await expect(viewer.getByRole('button', { name: t('catalog.previous_picture') })).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.press('End');
  await expect(viewer).toContainText('3 / 3');
  await expect(picture(3)).toBeInViewport({ ratio: 0.99 });
  await page.keyboard.press('ArrowRight');
  await expect(viewer).toContainText('3 / 3');
  await page.keyboard.press('Home');
  await expect(picture(1)).toBeInViewport({ ratio: 0.99 });
  await page.keyboard.press('Escape');
  await expect(viewer).toBeHidden();
});

test('closing returns to the picture that was seen last', async ({ shopper, page, t }) => {
  const { viewer, picture } = await enlarge(shopper);
  await viewer.getByRole('button', { name: t('catalog.next_picture') }).click();
  await expect(picture(2)).toBeInViewport({ ratio: 0.99 });
  await viewer.getByRole('button', { name: t('common.close') }).click();
  await expect(viewer).toBeHidden();
  const link = page.getByRole('link', { name: t('catalog.enlarge', { n: 2 }) });
  await expect(link).toBeFocused();
  await expect(link).toBeInViewport({ ratio: 0.9 });
  await expect(page.getByRole('link', { name: t('catalog.enlarge', { n: 1 }) })).not.toBeInViewport();
});

test('the pictures in the page are turned by keys', async ({ page, t }) => {
  const strip = page.getByRole('list', { name: t('catalog.gallery_hint') });
  const slide = (n: number) => page.getByRole('link', { name: t('catalog.enlarge', { n }) });
  await strip.focus();
  for (const [key, n] of [['ArrowRight', 2], ['End', 3], ['ArrowLeft', 2], ['Home', 1]] as const) {
    await page.keyboard.press(key);
    await expect(slide(n)).toBeInViewport({ ratio: 0.9 });
  }
});

test('keys and the mouse make a picture larger and move it', async ({ shopper, page }) => {
  const { viewer, strip, picture, offset } = await enlarge(shopper);
  await strip.focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => scale(picture(1))).toBe(2);
  const [left, top] = await test.step('the middle stays in the middle', async () => {
    await expect.poll(async () => (await offset(1))[0]).toBeGreaterThan(0);
    return offset(1);
  });
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => offset(1)).toEqual([expect.closeTo(left * 1.5, -1), expect.closeTo(top * 1.5, -1)]);
  await expect(viewer, 'keys move the picture, and turn to no other').toContainText('1 / 3');
  await page.keyboard.press('-');
  await expect.poll(() => scale(picture(1))).toBe(1);
  await page.keyboard.press('+');
  await expect.poll(() => scale(picture(1))).toBe(2);
  await page.keyboard.press('End');
  await expect(picture(3)).toBeInViewport({ ratio: 0.99 });
  expect(await scale(picture(1)), 'another picture is looked at').toBe(1);

  const box = await strip.boundingBox();
  if (!box) throw new Error('the strip is not there');
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await page.mouse.click(at.x, at.y);
  await expect.poll(() => scale(picture(3))).toBe(2);
  await expect.poll(async () => (await offset(3))[0]).toBeGreaterThan(0);
  const [before] = await offset(3);
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x - 60, at.y, { steps: 6 });
  await page.mouse.up();
  await expect.poll(async () => (await offset(3))[0] - before).toBeCloseTo(60, -1);
  expect(await scale(picture(3)), 'dragging is no click').toBe(2);
  await page.mouse.click(at.x, at.y);
  await expect.poll(() => scale(picture(3))).toBe(1);
});

test('a finger turns, enlarges and moves pictures', async ({ shopper, page, t, hasTouch }) => {
  test.skip(!hasTouch, 'needs a touch screen');
  await test.step('in the page', async () => {
    const strip = page.getByRole('list', { name: t('catalog.gallery_hint') });
    await swipe(page, strip, -240);
    await expect(page.getByRole('link', { name: t('catalog.enlarge', { n: 2 }) })).toBeInViewport({ ratio: 0.9 });
    await expect(page.getByText('2 / 3', { exact: true }).first()).toBeVisible();
  });

  const { viewer, strip, picture, offset } = await enlarge(shopper, 2);
  await test.step('enlarged', async () => {
    await swipe(page, strip, -240);
    await expect(viewer).toContainText('3 / 3');
    await expect(picture(3)).toBeInViewport({ ratio: 0.99 });
    await swipe(page, strip, 240);
    await expect(viewer).toContainText('2 / 3');
    await expect(picture(2)).toBeInViewport({ ratio: 0.99 });
  });

  await test.step('one tap does nothing, two enlarge', async () => {
    const box = await strip.boundingBox();
    if (!box) throw new Error('the strip is not there');
    const tap = () => page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
    await tap();
    await page.waitForTimeout(500);
    expect(await scale(picture(2))).toBe(1);
    await tap();
    await tap();
    await expect.poll(() => scale(picture(2))).toBe(2);
    await expect.poll(async () => (await offset(2))[0]).toBeGreaterThan(0);
    const [before] = await offset(2);
    await swipe(page, strip, -100);
    await expect.poll(async () => (await offset(2))[0]).toBeGreaterThan(before + 50);
    await expect(viewer, 'the picture moved and did not turn').toContainText('2 / 3');
  });

  // Pinching is left to the browser.
  const blocked = await strip.evaluate((list) => [list, ...list.children].map((element) => getComputedStyle(element).touchAction));
  expect(new Set(blocked)).toEqual(new Set(['manipulation']));
});

test('enlarged pictures come when they are looked at', async ({ shopper, page }) => {
  const { picture } = await enlarge(shopper);
  for (const n of [1, 2, 3]) await expect(picture(n)).toHaveAttribute('loading', 'lazy');
  await expect.poll(() => picture(1).evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await page.keyboard.press('End');
  await expect.poll(() => picture(3).evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
});
