// The client comes in parts, and a part may be gone when it is wanted.

import { expect, test } from '../support.ts';

test('after an update of the shop an open tab still goes where its links lead', async ({ shopper, page, guard }) => {
  guard.allow(/status of 404|Failed to load resource/);
  await page.goto('/');
  await page.waitForLoadState('networkidle');
  // The files of the build that this tab knows are no longer there.
  await page.route(/split_.*\.wasm|chunk_.*\.wasm/, (route) => route.fulfill({ status: 404, body: '' }));
  const product = page.getByRole('main').locator('a[href^="/p/"]').first();
  const href = await product.getAttribute('href');
  await product.click();
  await expect(page).toHaveURL(new RegExp(`${href}$`));
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(shopper.main).toBeVisible();
});

test('a customer loads nothing of the office', async ({ shopper, page, office }) => {
  const loaded: string[] = [];
  page.context().on('request', (request) => loaded.push(new URL(request.url()).pathname));
  const parts = (name: string) => loaded.filter((path) => path.includes(`/split_${name}`));
  const { product, variant } = await office.stocked('pulse-smartwatch');
  await page.goto('/');
  await page.waitForLoadState('networkidle');
  await shopper.open(`/p/${product.handle}`);
  await shopper.put(variant);
  await shopper.open('/cart');
  await page.goto('/orders');
  await page.waitForLoadState('networkidle');
  await page.goto('/me/favourites');
  await page.waitForLoadState('networkidle');
  for (const name of ['catalog', 'ordering', 'account']) expect(parts(name), name).not.toEqual([]);
  expect(parts('office')).toEqual([]);
  // That is what it would be called.
  await page.goto('/office/sign-in');
  await expect.poll(() => parts('office')).not.toEqual([]);
});

test('after a link the focus is at the beginning of the new page', async ({ page }) => {
  await page.goto('/');
  await page.waitForLoadState('networkidle');
  await page.getByRole('navigation').getByRole('link').first().click();
  await expect(page.getByRole('main')).toBeFocused();
});

test('what is typed before the page comes alive stays', async ({ page }) => {
  // The client comes late.
  await page.route(/\/pkg\/xiadan\..*\.wasm/, async (route) => {
    await new Promise((done) => setTimeout(done, 2500));
    await route.continue();
  });
  await page.goto('/');
  const search = page.getByRole('searchbox');
  await search.fill('茶');
  const alive = page.waitForResponse((response) => response.url().includes('/pkg/xiadan') && response.url().endsWith('.wasm'));
  await alive;
  await page.waitForTimeout(1500);
  await expect(search).toHaveValue('茶');
});
