// Every page in every state worth the name, in light and dark: axe finds nothing.

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { LOGIN, PASSWORD, expect, test } from './support.ts';

// Without it the pages' content security policy refuses the style sheet below.
test.use({ bypassCSP: true, contextOptions: { reducedMotion: 'reduce' } });

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Looks at the page as it is now. Only colours differ between light and dark. */
async function look(page: Page, name: string): Promise<void> {
  await test.step(name, async () => {
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    // Bars that stick to an edge cover links at some scroll positions, which axe would take for links too small.
    await page.addStyleTag({ content: '.tabbar,.actionbar,.site-header,.toasts{position:static!important}' });
    const found: unknown[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const axe = new AxeBuilder({ page }).setLegacyMode();
      const { violations } = await (colorScheme === 'light' ? axe.withTags(RULES) : axe.withRules(['color-contrast'])).analyze();
      found.push(...violations.map(({ id, nodes }) => ({ colorScheme, id, nodes: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`) })));
    }
    await page.emulateMedia({ colorScheme: 'light' });
    expect.soft(found, name).toEqual([]);
  });
}

test('the components', async ({ page }) => {
  await page.goto('/design');
  await look(page, 'all components');
});

test('the catalogue', async ({ shopper, page, guard }) => {
  guard.allow(/status of 404/);
  test.slow();
  await page.goto('/');
  await look(page, 'home');
  await page.goto('/categories');
  await look(page, 'categories');
  await page.goto('/search?brand=Yelu&min=100&stock=1');
  const filters = page.getByText('筛选', { exact: true });
  if (await filters.isVisible()) await filters.click();
  await look(page, 'a filtered list');
  await page.goto('/search?page=2');
  await look(page, 'a second page');
  await page.goto('/search?min=300&max=abc');
  await look(page, 'filters with a mistake');
  await page.goto('/search?q=独角兽');
  await look(page, 'nothing found');
  await page.goto('/search?min=900000');
  await look(page, 'filters that leave nothing');
  await shopper.open('/p/quad-roller-skates');
  await look(page, 'a product');
  await page.getByRole('link', { name: '放大图片 1' }).click();
  await expect(page.getByRole('dialog', { name: '大图' })).toBeVisible();
  await look(page, 'an enlarged picture');
  await page.keyboard.press('+');
  await expect(page.locator('.is-zoomed')).toBeVisible();
  await look(page, 'a picture enlarged twice');
  await page.goto('/nowhere');
  await look(page, 'not found');
  await page.goto('/offline');
  await look(page, 'offline');
});

test('the cart and the checkout', async ({ shopper, page, office, mine, guard }) => {
  guard.allow(/status of (409|422)/);
  test.slow();
  await page.goto('/cart');
  await look(page, 'an empty cart');
  const toy = await office.stocked(mine('wooden-train-set', '-', 'hug-teddy-bear'), 5);
  const book = await office.stocked('aluminium-ruler-set');
  const later = await office.stocked('long-neck-dino-comforter');
  for (const { variant } of [toy, book, later]) await shopper.put(variant, 3);
  await shopper.post('cart/save_for_later', { variant_id: later.variant.id, saved: 'true' });
  await shopper.open('/cart');
  await look(page, 'a cart');
  await office.setStock(toy.variant, 1);
  await office.setPrice(toy.variant, toy.variant.price + 100);
  await expect(page.getByText('只剩 1 件，你选了 3 件。')).toBeVisible();
  await expect(page.getByText('价格变了')).toBeVisible();
  await look(page, 'a cart that changed');
  await shopper.open('/checkout');
  await look(page, 'checkout');
  await shopper.next();
  await expect(page.getByRole('alert').first()).toBeVisible();
  await look(page, 'checkout with errors');
  await shopper.keepAddress();
  await shopper.open('/checkout/review');
  await look(page, 'review with a shortage');
  await page.getByRole('button', { name: '按现有库存买' }).click();
  await expect(page.getByRole('alert').filter({ hasText: '价格变了' })).toBeVisible();
  await look(page, 'review with a new price');
  await page.getByRole('button', { name: '按新价购买' }).click();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await shopper.submit();
  await look(page, 'payment');
  await page.getByRole('button', { name: /^付款/ }).click();
  await expect(page.getByRole('heading', { name: '沙箱收银台' })).toBeVisible();
  await look(page, 'the cashier');
});

test('orders', async ({ shopper, page, office }) => {
  test.slow();
  await page.goto('/orders');
  await look(page, 'no orders');
  const { variant } = await office.stocked('sorghum-broom-set');
  const number = await shopper.order(variant);
  await shopper.open(`/orders/${number}`);
  await look(page, 'to be paid');
  await page.getByRole('link', { name: '取消订单' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await look(page, 'a question');
  await shopper.open(`/orders/${number}/edit`);
  await look(page, 'changing an order');
  await shopper.post('order/cancel', { number });
  await shopper.open(`/orders/${number}`);
  await look(page, 'cancelled');
  const paid = await shopper.paidOrder(variant);
  await shopper.open(`/orders/${paid}`);
  await look(page, 'to be shipped');
  await office.ship(paid, '顺丰速运', 'SF0001');
  await expect(shopper.heading('在路上了')).toBeVisible();
  await look(page, 'shipped');
  await page.goto('/orders');
  await look(page, 'a list of orders');
  await page.goto('/me');
  await look(page, 'me');
  await page.goto('/me/favourites');
  await look(page, 'no favourites');
  const { id } = await office.product('sorghum-broom-set');
  await shopper.post('catalog/set_favourite', { product_id: id, wanted: 'true' });
  await page.goto('/me/favourites');
  await look(page, 'favourites');
  await page.goto('/me/viewed');
  await look(page, 'what was looked at');
  await page.goto('/privacy/shared');
  await look(page, 'whom data is shared with');
  await page.goto('/me/privacy');
  await look(page, 'my data, for a guest');
  await page.goto('/orders/find');
  await page.getByRole('button', { name: '查询' }).click();
  await look(page, 'finding an order');
});

test('the office', async ({ page, another, office, guard }) => {
  guard.allow(/status of 4(01|03|22)/);
  test.slow();
  await page.goto('/office/sign-in');
  await look(page, 'the door');
  await page.getByRole('textbox', { name: '用户名' }).fill(LOGIN);
  await page.getByRole('textbox', { name: '密码' }).fill(PASSWORD);
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await expect(page.getByRole('heading', { name: '订单', level: 1 })).toBeVisible();
  const { variant } = await office.stocked('desk-potted-plant');
  const number = await (await another()).paidOrder(variant);
  await page.goto('/office?state=all');
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await look(page, 'orders');
  await page.goto(`/office/orders/${number}`);
  await look(page, 'an order to be shipped');
  await page.getByRole('link', { name: '取消订单' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await look(page, 'a question');
  await page.goto('/office/stock');
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await look(page, 'the shelf');
  await page.goto('/office/stock?q=unicorn');
  await look(page, 'an empty shelf');
  await page.goto('/office/second');
  await look(page, 'no second factor yet');
});
