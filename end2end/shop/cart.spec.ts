// The cart, with and without script.

import { expect, money, test } from '../support.ts';

test('quantities change, lines go and come back, and all of it stays', async ({ shopper, page, office }) => {
  const pan = await office.stocked('carbon-steel-pan');
  const knife = await office.stocked('santoku-knife');
  await shopper.put(pan.variant);
  await shopper.put(knife.variant, 2);
  await shopper.open('/cart');

  const line = (title: string) => page.getByRole('listitem').filter({ has: page.getByRole('link', { name: title }) });
  const quantity = (title: string) => page.getByRole('spinbutton', { name: `数量：${title}` });
  const sum = page.getByRole('complementary', { name: '结算' });
  const { title } = pan.product;
  await expect(page.getByText('3 件', { exact: true })).toBeVisible();

  await test.step('one more, one less', async () => {
    await line(title).getByRole('button', { name: '增加一件' }).click();
    await expect(quantity(title)).toHaveValue('2');
    await expect(line(title).getByText(money(pan.variant.price * 2))).toBeVisible();
    await line(title).getByRole('button', { name: '减少一件' }).click();
    await expect(quantity(title)).toHaveValue('1');
    await expect(line(title).getByRole('button', { name: '减少一件' })).toBeDisabled();
  });

  await test.step('a typed number', async () => {
    await quantity(title).fill('5');
    await quantity(title).press('Enter');
    await expect(sum).toContainText(money(pan.variant.price * 5 + knife.variant.price * 2));
    await expect(page.getByText('7 件', { exact: true })).toBeVisible();
  });

  await test.step('saved for later, and back', async () => {
    await line(title).getByRole('button', { name: '稍后再买' }).click();
    const later = page.getByRole('region', { name: '稍后再买（1）' });
    await expect(later).toContainText(title);
    await expect(sum).toContainText(money(knife.variant.price * 2));
    await later.getByRole('button', { name: '移回购物车' }).click();
    await expect(quantity(title)).toHaveValue('5');
    await expect(later).toBeHidden();
  });

  await test.step('removed by mistake, and put back', async () => {
    const undo = page.getByRole('button', { name: '撤销' });
    await line(title).getByRole('button', { name: '移除' }).click();
    await expect(line(title)).toHaveCount(0);
    if (!shopper.js) await expect(page.getByRole('status').filter({ hasText: '已从购物车移除' })).toBeVisible();
    await undo.click();
    await expect(quantity(title)).toHaveValue('5');
    await expect(sum).toContainText(money(pan.variant.price * 5 + knife.variant.price * 2));
    await expect(undo).toHaveCount(0);
  });

  await test.step('it is there after loading again', async () => {
    await shopper.reload();
    await expect(quantity(title)).toHaveValue('5');
    await expect(quantity(knife.product.title)).toHaveValue('2');
  });

  await test.step('removed until nothing is left', async () => {
    await line(title).getByRole('button', { name: '移除' }).click();
    await expect(line(title)).toHaveCount(0);
    if (!shopper.js) {
      // Once something else is done the offer is over.
      await line(knife.product.title).getByRole('button', { name: '增加一件' }).click();
      await expect(quantity(knife.product.title)).toHaveValue('3');
      await expect(page.getByRole('button', { name: '撤销' })).toHaveCount(0);
    }
    await line(knife.product.title).getByRole('button', { name: '移除' }).click();
    await expect(shopper.heading('购物车还是空的')).toBeVisible();
    await shopper.reload();
    await expect(shopper.heading('购物车还是空的')).toBeVisible();
    await page.getByRole('link', { name: '去逛逛' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('把日子过得');
  });
});

test('more than there is cannot be put in, and the page says how much there is', async ({ shopper, page, office, mine, guard }) => {
  guard.allow(/status of 409/);
  const { product, variant } = await office.stocked(mine('stoneware-dinner-set', 'celadon-teapot'), 2);
  await shopper.put(variant, 2);
  await shopper.open(`/p/${product.handle}?v=${variant.id}`);
  await expect(page.getByText('仅剩 2 件')).toBeVisible();
  await page.getByRole('button', { name: '加入购物车' }).click();
  await expect(page.getByRole('alert')).toHaveText(`库存不够：${product.title} 想要 3 件，现在剩 2 件`);
  await shopper.open('/cart');
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('2');
});
