// The checkout form, with and without script.

import { expect, money, test } from '../support.ts';

test('wrong fields say what is wrong, and nothing typed is lost', async ({ shopper, page, office, guard }) => {
  guard.allow(/status of 422/);
  const { variant } = await office.stocked('gan-charger');
  await shopper.put(variant);
  await shopper.open('/checkout');
  await shopper.field('phone').fill('12345');
  await shopper.field('email').fill('nobody');
  await shopper.field('detail').fill('科技南路 12 号');
  await shopper.field('note').fill('放快递柜');
  await page.getByRole('radio', { name: '周末与节假日' }).check();
  await page.getByRole('radio', { name: '云闪付' }).check();
  await shopper.next();

  const summary = page.getByRole('alert').filter({ hasText: '还有 4 处需要修改' });
  await expect(summary).toBeVisible();
  await expect(shopper.field('recipient')).toHaveAccessibleDescription('请填写');
  await expect(shopper.field('phone')).toHaveAccessibleDescription('手机号码不对，请检查一下');
  await expect(shopper.field('email')).toHaveAccessibleDescription(/邮箱地址不对/);
  await expect(shopper.select('province')).toHaveAccessibleDescription('请填写');
  await expect(shopper.field('detail')).not.toHaveAttribute('aria-invalid', 'true');
  await summary.getByRole('link', { name: '手机号：手机号码不对，请检查一下' }).click();
  if (shopper.js) await expect(shopper.field('phone')).toBeFocused();

  const kept = async () => {
    await expect(shopper.field('phone')).toHaveValue('12345');
    await expect(shopper.field('email')).toHaveValue('nobody');
    await expect(shopper.field('detail')).toHaveValue('科技南路 12 号');
    await expect(shopper.field('note')).toHaveValue('放快递柜');
    await expect(page.getByRole('radio', { name: '周末与节假日' })).toBeChecked();
    await expect(page.getByRole('radio', { name: '云闪付' })).toBeChecked();
  };
  await kept();
  await test.step('it is there after leaving and coming back', async () => {
    await shopper.open('/cart');
    await shopper.open('/checkout');
    await kept();
  });

  await shopper.fillCheckout();
  await shopper.field('email').fill('ming@example.com');
  await shopper.next();
  await expect(shopper.heading('确认订单')).toBeAttached();
  const to = page.getByRole('region', { name: '收货信息' });
  for (const text of ['王小明', '+86 138 0013 8000', 'ming@example.com', '广东省', '南山区', '周末与节假日', '放快递柜']) {
    await expect(to).toContainText(text);
  }
  await expect(page.getByRole('region', { name: '付款方式' })).toContainText('云闪付');
});

test('the region decides what can be chosen below it, and what shipping costs', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('rib-crew-socks');
  await shopper.put(variant);
  await shopper.open('/checkout');
  const sum = page.getByRole('complementary', { name: '订单内容' });
  await expect(sum).toContainText(money(variant.price + 800));
  await shopper.chooseRegion('广东省', '深圳市', '南山区');
  await expect(sum).toContainText(money(variant.price + 800));

  await test.step('another province clears city and district', async () => {
    await shopper.select('province').selectOption('新疆维吾尔自治区');
    if (!shopper.js) await page.getByRole('button', { name: '显示可选的城市和区县' }).click();
    await expect(shopper.select('city')).toHaveValue('');
    await expect(shopper.select('district')).toHaveValue('');
    await expect(shopper.select('district').getByRole('option')).toHaveText(['请选择']);
  });

  await shopper.chooseRegion('新疆维吾尔自治区', '乌鲁木齐市', '天山区');
  if (!shopper.js) await page.getByRole('button', { name: '显示可选的城市和区县' }).click();
  await expect(sum).toContainText(money(variant.price + 1800));
});

test('what is missing is asked for before anything is ordered', async ({ shopper, page, office }) => {
  await page.goto('/checkout');
  await expect(shopper.heading('没有要下单的商品')).toBeVisible();
  const { variant } = await office.stocked('gel-pen-set');
  await shopper.put(variant);
  await shopper.open('/checkout/review');
  await expect(shopper.heading('收货信息还不完整')).toBeVisible();
  await page.getByRole('link', { name: '去填写' }).click();
  await expect(shopper.field('recipient')).toBeVisible();
});

test('what is ordered at once is ordered alone, and the cart stays', async ({ shopper, page, office, mine, guard }) => {
  guard.allow(/status of 422/);
  const kept = await office.stocked(mine('ergonomic-mouse', 'leather-tote'), 20);
  const { product, variant } = await office.stocked(mine('aged-puer-cake', 'dragon-well-tea'), 30);
  await shopper.put(kept.variant, 2);
  await shopper.open(`/p/${product.handle}?v=${variant.id}`);
  await page.getByRole('spinbutton', { name: '数量' }).fill('3');
  await page.getByRole('button', { name: '立即下单' }).click();
  await expect(page).toHaveURL(/\/checkout\?variant_id=[\w-]+&quantity=3/);
  const contents = page.getByRole('complementary', { name: '订单内容' });
  await expect(contents).toContainText(product.title);
  await expect(contents).not.toContainText(kept.product.title);

  await test.step('a form with a mistake comes back with it', async () => {
    await shopper.next();
    await expect(shopper.field('recipient')).toHaveAccessibleDescription(/请填写/);
    await expect(contents).toContainText('× 3');
  });
  await shopper.fillCheckout();
  await shopper.next();
  await expect(shopper.heading('确认订单')).toBeAttached();
  const goods = page.getByRole('region', { name: '商品' });
  await expect(goods).toContainText('× 3');
  await expect(goods).not.toContainText(kept.product.title);
  await shopper.submit();
  expect(await office.stock(variant)).toBe(27);

  await shopper.open('/cart');
  await expect(page.getByRole('spinbutton', { name: `数量：${kept.product.title}` })).toHaveValue('2');
  await expect(page.getByRole('main')).not.toContainText(product.title);
});

test('an order goes nowhere but where the review said', async ({ shopper, page, office, mine, guard }) => {
  guard.allow(/status of 409/);
  const { variant } = await office.stocked(mine('explorer-compass', 'maple-skateboard'), 20);
  await shopper.put(variant);
  await shopper.keepAddress();
  await shopper.open('/checkout/review');
  // Typed in another tab while this one shows the review.
  await shopper.keepAddress({ ...shopper.who, detail: '深南大道 9 号' });
  await page.getByRole('button', { name: '提交订单' }).click();
  await expect(page.getByRole('region', { name: '收货信息' })).toContainText('深南大道 9 号');
  await expect(page.getByRole('alert').filter({ hasText: '订单内容刚刚有变化' })).toBeVisible();
  expect(await shopper.orders()).toBe(0);
  await shopper.submit();
  expect(await shopper.orders()).toBe(1);
});
