// An installed shop without a network.

import type { Page } from '@playwright/test';
import { test } from '../cable.ts';
import { expect, words } from '../support.ts';

/** What the console says of requests that found no network. */
const OFFLINE = /ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_FAILED|Failed to fetch/;

/** Opens the shop until its service worker answers for it. */
async function install(page: Page): Promise<void> {
  await page.goto('/');
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
  });
}

/** The paths of everything that is kept for offline use. */
function saved(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    const requests = await Promise.all(opened.map((cache) => cache.keys()));
    return requests.flat().map((request) => new URL(request.url).pathname);
  });
}

/** Visits a page until the service worker has it. */
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect.poll(() => page.evaluate(async (path) => Boolean(await caches.match(path, { ignoreVary: true })), path)).toBe(true);
}

test('visited pages and the cart open without a network, and say so', async ({ shopper, page, context, cable, office, guard }) => {
  guard.allow(OFFLINE);
  const { product, variant } = await office.stocked('garden-stories-box');
  await shopper.put(variant, 2);
  await install(page);
  await visit(page, `/p/${product.handle}`);
  await visit(page, '/cart');
  const bar = page.getByText('当前没有网络，显示的内容可能不是最新');
  await expect(bar).toBeHidden();

  await cable.cut(context);
  await expect(bar).toBeVisible();

  await page.goto(`/p/${product.handle}`);
  await expect(shopper.heading(product.title)).toBeVisible();
  await expect(bar).toBeVisible();
  await page.goto('/cart');
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('2');
  await expect(bar).toBeVisible();

  await test.step('a page never visited says that it is not there, and what is', async () => {
    await page.goto('/p/painted-nesting-dolls');
    await expect(shopper.heading('现在没有网络')).toBeVisible();
    await page.getByRole('link', { name: '去购物车' }).click();
    await expect(shopper.heading('购物车')).toBeVisible();
  });

  await test.step('a failing action says so where it happened', async () => {
    await page.getByRole('button', { name: '增加一件' }).click();
    await expect(page.getByRole('alert')).toContainText('连不上服务器，请检查网络后再试');
    await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('2');
  });

  await cable.mend(context);
  await expect(bar).toBeHidden();
  await page.getByRole('button', { name: '增加一件' }).click();
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('3');
});

test('links inside the shop lead to what is kept, and the cart that is kept is the present one', async ({ shopper, page, context, cable, office, guard }) => {
  guard.allow(OFFLINE);
  const { product, variant } = await office.stocked('fountain-pen-gift');
  await shopper.put(variant);
  await install(page);
  await visit(page, '/cart');
  await visit(page, `/p/${product.handle}`);
  await page.getByRole('button', { name: '加入购物车' }).click();
  const kept = () => page.evaluate(async () => (await (await caches.match('/cart', { ignoreVary: true }))?.text())?.match(/<input type="number"[^>]*? value="(\d+)"/)?.[1]);
  await expect.poll(kept, { message: 'the pieces in the cart that is kept' }).toBe('2');
  await page.goto('/');
  await expect(page.locator('html[data-currency]')).toBeAttached();

  await cable.cut(context);
  await page.getByRole('link', { name: /购物车/ }).first().click();
  await expect(shopper.heading('购物车')).toBeVisible();
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('2');
  await page.getByRole('link', { name: product.title }).first().click();
  await expect(shopper.heading(product.title)).toBeVisible();
});

test('a form is never kept for offline use', async ({ shopper, page, context, cable, office, guard }) => {
  guard.allow(OFFLINE);
  const { variant } = await office.stocked('usb-studio-mic');
  await shopper.put(variant);
  await shopper.keepAddress();
  await install(page);
  await shopper.open('/checkout');
  await shopper.open('/checkout/review');
  // What comes later is kept when this is.
  await visit(page, '/cart');
  const paths = await saved(page);
  expect(paths).toContain('/cart');
  expect(paths.filter((path) => path.startsWith('/checkout'))).toEqual([]);

  await cable.cut(context);
  await page.goto('/checkout');
  await expect(shopper.heading('现在没有网络')).toBeVisible();
});

test('a page that comes late is shown after all, unless something was typed', async ({ shopper, page, context, office, t, guard }) => {
  guard.allow(/ERR_ABORTED/);
  const { product, variant } = await office.stocked('retro-mini-tv');
  await shopper.put(variant);
  await install(page);
  await visit(page, '/cart');
  const bar = page.getByText(t('shell.offline_bar'));
  // Longer than the worker's patience. Only pages are slow.
  await context.serviceWorkers()[0].evaluate((ms) => {
    const real = self.fetch.bind(self);
    self.fetch = async (input, init) => {
      if (input instanceof Request && input.mode === 'navigate') await new Promise((done) => setTimeout(done, ms));
      return real(input, init);
    };
  }, 12_000);
  let loads = 0;
  page.on('load', () => loads++);

  await page.goto('/cart');
  await expect(bar).toBeVisible();
  await expect(bar).toBeHidden({ timeout: 20_000 });
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('1');
  // The last of its pictures may come after what it says.
  await expect.poll(() => loads, { message: 'the saved copy, then the fresh page at once' }).toBe(2);

  await page.goto('/cart');
  await expect(bar).toBeVisible();
  const search = page.getByRole('searchbox', { name: t('shell.search_label') });
  const fresh = page.evaluate(() => new Promise<void>((done) => {
    navigator.serviceWorker.addEventListener('message', (event) => {
      if (event.data.type === 'fresh-copy') done();
    });
  }));
  await search.fill('杯');
  await fresh;
  await expect(search).toHaveValue('杯');
  await expect(bar).toBeVisible();
  expect(loads).toBe(3);
  await page.getByRole('banner').getByRole('link', { name: t('shell.home_label') }).click();
  await expect(page).toHaveURL(/\/$/);
  await expect(bar).toBeHidden();
});

test('another language leaves no page in the one before', async ({ shopper, page, context, cable, guard }) => {
  guard.allow(OFFLINE);
  const english = words('en');
  await install(page);
  await visit(page, '/categories');
  await page.getByRole('contentinfo').getByRole('link', { name: 'English' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  const offline = () => page.evaluate(async () => (await caches.match('/offline', { ignoreVary: true }))?.text());
  await expect.poll(offline).toContain(english('error.offline_title'));
  await visit(page, '/cart');

  await cable.cut(context);
  await page.goto('/search?q=never');
  await expect(shopper.heading(english('error.offline_title'))).toBeVisible();
});

test('a page that another build made keeps its look without a network', async ({ shopper, page, context, cable, t, guard }) => {
  guard.allow(OFFLINE);
  // The page asks for the worker of its own build, which is not the one that is there.
  guard.allow(/error occurred when fetching the script/);
  await install(page);
  await visit(page, '/categories');
  await visit(page, '/');
  const shells = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('shell-')));
  await expect.poll(async () => (await shells()).length).toBe(1);
  // As if the build before this one had made the page: it names a style sheet that is in the shell of that build alone.
  await page.evaluate(async () => {
    const open = async (kind: string) => caches.open((await caches.keys()).find((name) => name.startsWith(kind)) ?? '');
    const [shell, pages] = [await open('shell-'), await open('pages-')];
    const now = document.querySelector('link[rel=stylesheet]')?.getAttribute('href') ?? '';
    const [style, saved] = [await shell.match(now), await pages.match('/categories', { ignoreVary: true })];
    if (!style || !saved) throw new Error(`${now} or the page is not kept`);
    await shell.put('/pkg/before.css', style);
    const html = (await saved.text()).replaceAll(now, '/pkg/before.css');
    await pages.delete('/categories', { ignoreVary: true });
    await pages.put('/categories', new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } }));
    await navigator.serviceWorker.register('/sw.js?build=other');
  });
  await expect.poll(shells).toEqual([expect.stringMatching(/-other$/)]);

  await cable.cut(context);
  await page.goto('/categories');
  await expect(shopper.heading(t('start.all_categories'))).toBeVisible();
  await expect(page.locator('link[rel=stylesheet]').first()).toHaveAttribute('href', '/pkg/before.css');
  const ink = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--ink').trim());
  expect(await ink(), 'the style sheet is there').not.toBe('');
});

test('what was typed without a network is kept when it is back', async ({ shopper, page, context, cable, office, t, guard }) => {
  guard.allow(OFFLINE);
  const { variant } = await office.stocked('vlog-camcorder');
  await shopper.put(variant);
  await shopper.open('/checkout');
  await cable.cut(context);
  await shopper.field('recipient').fill('李雷');
  const lost = page.getByText(t('checkout.saving_failed'));
  await expect(lost).toBeVisible();

  const kept = page.waitForResponse((response) => response.url().includes('/api/order/save_checkout') && response.ok());
  await cable.mend(context);
  await kept;
  await expect(lost).toBeHidden();
  await shopper.reload();
  await expect(shopper.field('recipient')).toHaveValue('李雷');
});

test('the shop can be installed', async ({ page, request }) => {
  await page.goto('/');
  const manifest = await (await request.get((await page.locator('link[rel=manifest]').getAttribute('href')) ?? '')).json();
  expect(manifest).toMatchObject({ display: 'standalone', start_url: expect.stringMatching(/^\//) });
  const maskable = manifest.icons.filter((icon: { purpose?: string }) => icon.purpose?.includes('maskable'));
  expect(maskable.length).toBeGreaterThan(0);
  for (const icon of manifest.icons) expect((await request.get(icon.src)).ok(), icon.src).toBe(true);
});
