// The cart while things happen elsewhere.

import { expect, money, test } from '../support.ts';

test('what was removed comes back with one press', async ({ shopper, page, office }) => {
  const { product, variant } = await office.stocked('wenge-chopsticks');
  await shopper.put(variant, 3);
  await shopper.open('/cart');
  await page.getByRole('button', { name: '移除' }).click();
  await expect(shopper.heading('购物车还是空的')).toBeFocused();
  await expect(page.getByText(`已移除“${product.title}”`)).toBeVisible();
  await page.getByRole('button', { name: '撤销' }).click();
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('3');
  await expect(shopper.heading('购物车')).toBeFocused();
  await shopper.reload();
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('3');
});

test('undoing a removal that did not arrive changes nothing', async ({ shopper, page, office, guard }) => {
  guard.allow(/ERR_FAILED/);
  const { product, variant } = await office.stocked('brass-key-charm');
  await shopper.put(variant, 3);
  await shopper.open('/cart');
  const quantity = page.getByRole('spinbutton', { name: `数量：${product.title}` });
  await page.route('**/api/cart/set_quantity', (route) => route.abort());
  await page.getByRole('button', { name: '移除' }).click();
  await expect(page.getByRole('alert')).toContainText('连不上服务器，请检查网络后再试');
  await expect(quantity).toHaveValue('3');
  await page.unroute('**/api/cart/set_quantity');
  const restored = page.waitForResponse((response) => response.url().includes('/api/cart/restore') && response.ok());
  await page.getByRole('button', { name: '撤销' }).click();
  await restored;
  await expect(quantity).toHaveValue('3');
  await shopper.reload();
  await expect(quantity).toHaveValue('3');
});

test('what is saved for later says so, and the focus stays on the page', async ({ shopper, page, office }) => {
  const { product, variant } = await office.stocked('peachwood-comb');
  await shopper.put(variant);
  await shopper.open('/cart');
  await page.getByRole('button', { name: '稍后再买' }).click();
  await expect(page.getByText('已移到“稍后再买”')).toBeVisible();
  await expect(shopper.heading('购物车')).toBeFocused();
  await expect(page.getByRole('region', { name: '稍后再买（1）' })).toContainText(product.title);
});

test('a message that can be answered waits while it is pointed at', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('soft-gum-toothbrush');
  await shopper.put(variant);
  await shopper.open('/cart');
  await page.getByRole('button', { name: '移除' }).click();
  const undo = page.getByRole('button', { name: '撤销' });
  await undo.hover();
  // In real time: the numbers of a faked clock's timers do not fit where the client keeps them.
  await page.waitForTimeout(11_000);
  await expect(undo).toBeVisible();
  await page.mouse.move(5, 5);
  await expect(undo).toBeHidden({ timeout: 12_000 });
});

test('two tabs show the same cart', async ({ shopper, page, context, office }) => {
  const { product, variant } = await office.stocked('festival-lantern');
  await shopper.put(variant);
  const tab = await context.newPage();
  const feed = tab.waitForResponse((response) => response.url().includes('/live?'));
  await Promise.all([tab.goto('/cart'), feed]);
  await shopper.open('/cart');
  const there = tab.getByRole('spinbutton', { name: `数量：${product.title}` });
  await page.getByRole('button', { name: '增加一件' }).click();
  await expect(there).toHaveValue('2');
  await tab.getByRole('button', { name: '移除' }).click();
  await expect(shopper.heading('购物车还是空的')).toBeVisible();
});

test('a new price is shown beside the old one and asks for a nod before the order', async ({ shopper, page, office, guard }) => {
  guard.allow(/status of 409/);
  const { product, variant } = await office.stocked('desk-alarm-clock');
  const price = variant.price + 1100;
  await shopper.put(variant, 2);
  await shopper.keepAddress();
  await shopper.open('/cart');
  await expect(page.getByText('价格变了')).toHaveCount(0);

  await office.setPrice(variant, price);
  const notice = page.getByRole('status').filter({ hasText: '价格变了' });
  await expect(notice).toContainText(`${money(variant.price)} → ${money(price)}`, { timeout: 1000 });
  await expect(page.getByRole('complementary', { name: '结算' })).toContainText(money(price * 2));

  await test.step('the order is not placed without it', async () => {
    await shopper.open('/checkout/review');
    const alert = page.getByRole('alert').filter({ hasText: '价格变了' });
    await expect(alert).toContainText(`“${product.title}”：${money(variant.price)} → ${money(price)}`);
    await page.getByRole('button', { name: '提交订单' }).click();
    await expect(page.getByRole('button', { name: '提交订单' })).toBeEnabled();
    await expect(alert).toBeVisible();
    expect(await shopper.orders()).toBe(0);
    await alert.getByRole('button', { name: '按新价购买' }).click();
    await expect(alert).toBeHidden();
  });

  await shopper.submit();
  await expect(shopper.main.getByText(money(price * 2), { exact: true }).first()).toBeVisible();
});

test('what fell short is offered as it is', async ({ shopper, page, office }) => {
  const { product, variant } = await office.stocked('willow-storage-basket', 9);
  await shopper.put(variant, 5);
  await shopper.open('/cart');
  await office.setStock(variant, 2);
  const notice = page.getByRole('status').filter({ hasText: '只剩 2 件，你选了 5 件。' });
  await expect(notice).toBeVisible({ timeout: 1000 });
  await notice.getByRole('button', { name: '改为 2 件' }).click();
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('2');
  await expect(notice).toBeHidden();

  await office.setStock(variant, 0);
  const gone = page.getByRole('status').filter({ hasText: '已经卖完。' });
  await gone.getByRole('button', { name: '稍后再买' }).click();
  await expect(page.getByRole('region', { name: '稍后再买（1）' })).toContainText('暂时缺货');
  await expect(page.getByText('没有待结算的商品')).toBeVisible();
});
