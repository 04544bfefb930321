// An installed shop without a network.

import type { Page } from '@playwright/test';
import { expect, test } from '../support.ts';

/** Visits a page until the service worker has it. */
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect.poll(() => page.evaluate(async (path) => Boolean(await caches.match(path, { ignoreVary: true })), path)).toBe(true);
}

test('visited pages and the cart open without a network, and say so', async ({ shopper, page, context, office, guard }) => {
  guard.allow(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to fetch/);
  const { product, variant } = await office.stocked('garden-stories-box');
  await shopper.put(variant, 2);
  await page.goto('/');
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
  });
  await visit(page, `/p/${product.handle}`);
  await visit(page, '/cart');
  const bar = page.getByText('当前没有网络，显示的内容可能不是最新');
  await expect(bar).toBeHidden();

  await context.setOffline(true);
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

  await context.setOffline(false);
  await expect(bar).toBeHidden();
  await page.getByRole('button', { name: '增加一件' }).click();
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('3');
});

test('the shop can be installed', async ({ page, request }) => {
  await page.goto('/');
  const manifest = await (await request.get((await page.locator('link[rel=manifest]').getAttribute('href')) ?? '')).json();
  expect(manifest).toMatchObject({ display: 'standalone', start_url: expect.stringMatching(/^\//) });
  const maskable = manifest.icons.filter((icon: { purpose?: string }) => icon.purpose?.includes('maskable'));
  expect(maskable.length).toBeGreaterThan(0);
  for (const icon of manifest.icons) expect((await request.get(icon.src)).ok(), icon.src).toBe(true);
});
