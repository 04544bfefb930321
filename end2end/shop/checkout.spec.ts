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
  await expect(shopper.select('district')).toHaveAccessibleDescription('请填写');
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
