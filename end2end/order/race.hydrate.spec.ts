// Several people, one shelf.

import { expect, test } from '../support.ts';

test('two browsers want the last piece: one order, one clear answer', async ({ shopper, another, office, guard }) => {
  guard.allow(/status of 4(09|22)/);
  const { product, variant } = await office.stocked('illustrated-world-map', 1);
  const both = [shopper, await another()];
  for (const one of both) {
    await one.put(variant);
    await one.keepAddress();
    await one.open('/checkout/review');
  }
  const placed = both.map((one) => one.page.getByText('订单已提交'));
  const refused = both.map((one) => one.page.getByRole('alert').filter({ hasText: `“${product.title}”已经卖完。` }));
  await Promise.all(both.map((one) => one.page.getByRole('button', { name: '提交订单' }).click()));
  await Promise.all(both.map((_, i) => expect(placed[i].or(refused[i])).toBeVisible()));

  const orders = await Promise.all(both.map((one) => one.orders()));
  expect([...orders].sort(), 'orders of the two').toEqual([0, 1]);
  const loser = orders.indexOf(0);
  await expect(placed[1 - loser]).toBeVisible();
  await expect(refused[loser]).toBeVisible();
  expect(await office.stock(variant)).toBe(0);

  await test.step('the other goes on without it', async () => {
    await refused[loser].getByRole('button', { name: '按现有库存买' }).click();
    await expect(both[loser].heading('没有要下单的商品')).toBeVisible();
  });
});

test('an open product page follows the shelf within a second', async ({ shopper, another, office }) => {
  const { product, variant } = await office.stocked('five-nut-mooncakes', 30);
  const { page } = shopper;
  const other = await another();
  await shopper.open(`/p/${product.handle}`);
  await expect(page.getByText('现货', { exact: true })).toBeVisible();

  await test.step('another customer’s order takes pieces', async () => {
    await office.setStock(variant, 5);
    await expect(page.getByText('仅剩 5 件')).toBeVisible({ timeout: 1000 });
    await other.order(variant, 3);
    await expect(page.getByText('仅剩 2 件')).toBeVisible({ timeout: 1000 });
    await other.order(variant, 2);
    await expect(page.getByText('这款暂时缺货')).toBeVisible({ timeout: 1000 });
    await expect(page.getByRole('button', { name: '暂时缺货' })).toBeDisabled();
  });

  await test.step('the merchant brings more', async () => {
    await office.setStock(variant, 30);
    await expect(page.getByText('现货', { exact: true })).toBeVisible({ timeout: 1000 });
    await expect(page.getByRole('button', { name: '加入购物车' })).toBeEnabled();
  });
});
