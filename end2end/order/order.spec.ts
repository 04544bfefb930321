// What a customer does with an order after it was placed.

import { expect, grouped, money, test } from '../support.ts';

test('an unpaid order is cancelled, its goods go back, and it can be ordered again', async ({ shopper, page, office, mine }) => {
  const { product, variant } = await office.stocked(mine('smart-bulb', 'pocket-power-bank'), 40);
  const number = await shopper.order(variant, 2);
  expect(await office.stock(variant)).toBe(38);
  await shopper.open(`/orders/${number}`);
  await expect(shopper.heading('等待付款')).toBeVisible();
  await expect(page.getByRole('timer')).toHaveText(/^\s*库存为你保留 1[45]:\d\d\s*$/);

  await test.step('not without asking', async () => {
    await page.getByRole('link', { name: '取消订单' }).click();
    const asked = page.getByRole('dialog').or(page.getByRole('region', { name: '取消这个订单？' }));
    await expect(asked).toContainText('为你保留的库存会释放。');
    await asked.getByText('再想想').click();
    await expect(asked).toBeHidden();
    await expect(shopper.heading('等待付款')).toBeVisible();
  });

  await shopper.confirm('取消订单', '取消这个订单？', '取消订单');
  await expect(shopper.heading('订单已取消')).toBeVisible();
  await expect(page.getByText('你取消了这个订单，没有扣款。', { exact: true })).toBeVisible();
  expect(await office.stock(variant)).toBe(40);

  await page.getByRole('button', { name: '再来一单' }).click();
  await expect(page).toHaveURL(/\/cart$/);
  await expect(page.getByRole('spinbutton', { name: `数量：${product.title}` })).toHaveValue('2');
});

test('a paid order is cancelled and refunded, until it is shipped', async ({ shopper, page, office, mine }) => {
  const { variant } = await office.stocked(mine('solid-wood-bed', 'cloud-sofa-three-seat'), 30);
  const number = await shopper.paidOrder(variant);
  const shipped = await shopper.paidOrder(variant);
  expect(await office.stock(variant)).toBe(28);
  await shopper.open(`/orders/${number}`);
  await expect(shopper.heading('等待发货')).toBeVisible();
  await shopper.confirm('取消订单', '取消这个订单？', '取消订单');
  await shopper.sees(shopper.heading('已取消，已退款'));
  await expect(page.getByText(`${money(variant.price)} 已退回原来的付款账户。`).first()).toBeVisible();
  await expect(page.getByRole('region', { name: '进度' })).toContainText(`已退款 ${money(variant.price)}`);
  expect(await office.stock(variant)).toBe(29);

  await office.ship(shipped, '中通快递', 'ZT0001');
  await shopper.open(`/orders/${shipped}`);
  await expect(shopper.heading('在路上了')).toBeVisible();
  await expect(page.getByRole('link', { name: '取消订单' })).toHaveCount(0);
});

test('quantity, address, note and payment method of an unpaid order are changed', async ({ shopper, page, office, mine }) => {
  const { product, variant } = await office.stocked(mine('merino-scarf', 'washed-baseball-cap'), 40);
  const number = await shopper.order(variant);
  await shopper.open(`/orders/${number}`);
  await page.getByRole('link', { name: '修改订单' }).click();
  await expect(shopper.heading('修改订单')).toBeVisible();
  await page.getByRole('spinbutton', { name: `数量：${product.title}` }).fill('3');
  await shopper.chooseRegion('广东省', '深圳市', '福田区');
  await shopper.field('detail').fill('福华路 8 号');
  await shopper.field('note').fill('周末不在家');
  await page.getByRole('radio', { name: '银行卡' }).check();
  if (shopper.js) await expect(page.getByRole('region', { name: '新合计' })).toContainText(money(variant.price * 3));
  await page.getByRole('button', { name: '保存修改' }).click();

  await expect(shopper.heading('等待付款')).toBeVisible();
  const delivery = page.getByRole('region', { name: '收货与付款' });
  for (const text of ['福田区', '福华路 8 号', '周末不在家', '银行卡']) await expect(delivery).toContainText(text);
  await expect(page.getByRole('region', { name: '商品' })).toContainText('× 3');
  await expect(page.getByRole('region', { name: '金额' })).toContainText(money(variant.price * 3));
  await expect(page.getByRole('region', { name: '进度' })).toContainText('订单已修改');
  expect(await office.stock(variant)).toBe(37);
});

test('a change that cannot be had says what can, and keeps what was typed', async ({ shopper, page, office, mine, guard }) => {
  guard.allow(/status of 409/);
  const { product, variant } = await office.stocked(mine('glass-wind-chime', 'sterling-promise-ring'), 4);
  const number = await shopper.order(variant);
  await shopper.open(`/orders/${number}/edit`);
  const quantity = page.getByRole('spinbutton', { name: `数量：${product.title}` });
  await quantity.fill('9');
  await shopper.field('note').fill('多买几件');
  await page.getByRole('button', { name: '保存修改' }).click();
  const alert = page.getByRole('alert').filter({ hasText: '库存不够了' });
  await expect(alert).toContainText(`“${product.title}”最多只能订 4 件，你填了 9 件。`);
  await expect(quantity).toHaveValue('9');
  await expect(shopper.field('note')).toHaveValue('多买几件');
  if (shopper.js) await alert.getByRole('button', { name: '改成能订的数量' }).click();
  else await quantity.fill('4');
  await page.getByRole('button', { name: '保存修改' }).click();
  await expect(page.getByRole('region', { name: '商品' })).toContainText('× 4');
  expect(await office.stock(variant)).toBe(0);
});

test('more of what has another price now is told with both prices', async ({ shopper, page, office, mine, guard }) => {
  guard.allow(/status of 409/);
  const { product, variant } = await office.stocked(mine('catnip-fish-toy', 'beef-chew-bone'), 20);
  const price = variant.price + 300;
  const number = await shopper.order(variant, 2);
  await office.setPrice(variant, price);
  await shopper.open(`/orders/${number}/edit`);
  const quantity = page.getByRole('spinbutton', { name: `数量：${product.title}` });
  await quantity.fill('4');
  await page.getByRole('button', { name: '保存修改' }).click();
  const alert = page.getByRole('alert').filter({ hasText: '不能按原价加购' });
  await expect(alert).toContainText(`${product.title}：本单价 ${money(variant.price)}，现价 ${money(price)}。`);
  await expect(alert.getByRole('link', { name: '另下一单' })).toHaveAttribute('href', `/p/${product.handle}`);
  await expect(quantity).toHaveValue('4');
  if (shopper.js) await alert.getByRole('button', { name: '保持原数量' }).click();
  else await quantity.fill('2');
  await expect(quantity).toHaveValue('2');
  await page.getByRole('button', { name: '保存修改' }).click();
  await expect(page.getByRole('region', { name: '金额' })).toContainText(money(variant.price * 2));
});

test('payment fails, then succeeds', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('brass-oval-mirror');
  const number = await shopper.order(variant);
  await shopper.open(`/pay/${number}`);
  await shopper.pay('failure');
  const alert = page.getByRole('alert').filter({ hasText: '这次付款没有成功' });
  await shopper.sees(alert);
  await alert.getByRole('link', { name: '换一种付款方式' }).click();
  await expect(page.getByRole('alert').filter({ hasText: '付款未成功' })).toBeVisible();
  await page.getByRole('radio', { name: '银行卡' }).check();
  await shopper.pay('success');
  await shopper.sees(shopper.heading('等待发货'));
  await expect(page.getByRole('region', { name: '收货与付款' })).toContainText('银行卡');
  await expect(page.getByRole('region', { name: '进度' })).toContainText('付款没有成功');
});

test('news of a payment that comes late or twice counts once', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('stargazer-telescope');
  const paid = page.getByRole('region', { name: '进度' }).getByText('已付款', { exact: true });
  const late = await shopper.order(variant);
  await shopper.open(`/pay/${late}`);
  await shopper.pay('slow');
  await expect(shopper.heading('等待付款确认')).toBeVisible();
  await shopper.sees(shopper.heading('等待发货'));
  await expect(paid).toHaveCount(1);

  const twice = await shopper.order(variant);
  await shopper.open(`/pay/${twice}`);
  await shopper.pay('twice');
  await shopper.sees(shopper.heading('等待发货'));
  await expect(paid).toHaveCount(1);
});

test('my orders: by state, by words, by page', async ({ shopper, page, office }) => {
  const lantern = await office.stocked('hamster-wood-house');
  const tea = await office.stocked('runaway-cat-ball');
  const paid = await shopper.paidOrder(tea.variant);
  const numbers: string[] = [];
  for (let i = 0; i < 10; i += 1) numbers.push(await shopper.order(lantern.variant));

  await shopper.open('/orders');
  const tabs = page.getByRole('navigation', { name: '按状态' });
  const cards = page.getByRole('article');
  await expect(tabs.getByRole('link', { name: /^全部/ })).toHaveText(/11$/);
  await expect(tabs.getByRole('link', { name: /^待付款/ })).toHaveText(/10$/);
  await expect(cards).toHaveCount(10);
  await expect(cards.first()).toContainText(grouped(numbers[9]));

  await test.step('pages', async () => {
    await page.getByRole('navigation', { name: '分页' }).getByRole('link', { name: '下一页' }).click();
    await expect(cards).toHaveCount(1);
    await expect(cards).toContainText(grouped(paid));
    await page.goto('/orders?page=99');
    await expect(page.getByRole('heading', { name: '没有这一页' })).toBeVisible();
    await page.getByRole('link', { name: '回到第一页' }).click();
    await expect(page).toHaveURL(/\/orders$/);
    await expect(cards).toHaveCount(10);
  });

  await test.step('state', async () => {
    await tabs.getByRole('link', { name: /^待发货/ }).click();
    await expect(page).toHaveURL(/state=to_ship/);
    await expect(cards).toHaveCount(1);
    await expect(cards).toContainText('待发货');
    await tabs.getByRole('link', { name: /^已完成/ }).click();
    await expect(page.getByRole('heading', { name: '没有已完成的订单' })).toBeVisible();
    await page.getByRole('link', { name: '查看全部订单' }).click();
    await expect(cards).toHaveCount(10);
  });

  await test.step('words', async () => {
    const search = page.getByRole('searchbox', { name: '搜索订单' });
    await search.fill('逗猫球');
    await search.press('Enter');
    await expect(cards).toHaveCount(1);
    await expect(cards).toContainText(tea.product.title);
    await search.fill(grouped(numbers[3]));
    await search.press('Enter');
    await expect(cards).toContainText(grouped(numbers[3]));
    await expect(cards).toHaveCount(1);
    await search.fill('没有买过');
    await search.press('Enter');
    await expect(page.getByRole('heading', { name: '没有找到“没有买过”' })).toBeVisible();
  });
});

test('an order is found on another device by its number and phone, and by nobody else', async ({ shopper, another, office, guard }) => {
  guard.allow(/status of (404|403)/);
  const { product, variant } = await office.stocked('desktop-aquarium');
  const number = await shopper.order(variant);
  const other = await another();
  const { page } = other;
  const response = await page.goto(`/orders/${number}`);
  expect(response?.status()).toBe(404);
  await expect(other.heading('页面不存在')).toBeVisible();

  await page.goto('/orders/find');
  const field = (name: string) => page.getByRole('textbox', { name });
  const find = () => page.getByRole('button', { name: '查询' }).click();
  await field('订单号').fill(number.replace(/.$/, (digit) => String((Number(digit) + 1) % 10)));
  await field('手机号或邮箱').fill('13900000000');
  await find();
  if (other.js) await expect(field('订单号')).toHaveAccessibleDescription(/订单号不对/);
  else await expect(page.getByRole('main')).toContainText(/订单号不对|没有找到/);

  await field('订单号').fill(grouped(number));
  await field('手机号或邮箱').fill('13900000000');
  await find();
  await expect(page.getByRole('alert')).toHaveText('没有找到。请核对订单号和联系方式；如果有账号，请登录查看。');
  await expect(field('订单号'), 'the number stays').toHaveValue(grouped(number));
  expect(page.url(), 'the phone is in no address').not.toContain('13900000000');

  await field('手机号或邮箱').fill('138 0013 8000');
  await find();
  await expect(other.heading('等待付款')).toBeVisible();
  await expect(page.getByRole('region', { name: '商品' })).toContainText(product.title);
  await expect(page).toHaveURL(new RegExp(`/orders/${number}$`));
});

test('an e-mail is enough to order, and finds the order on another device', async ({ shopper, page, office, another }) => {
  const { variant } = await office.stocked('desktop-aquarium');
  await shopper.put(variant);
  await shopper.open('/checkout');
  await shopper.fillCheckout({ ...shopper.who, phone: '' });
  await shopper.next();
  await expect(shopper.field('phone')).toHaveAccessibleDescription(/手机号和邮箱请至少填一项/);
  await shopper.field('email').fill('Wang@Example.com');
  await shopper.next();
  await expect(shopper.heading('确认订单')).toBeAttached();
  await expect(page.getByRole('region', { name: '收货信息' })).toContainText('王小明 wang@example.com');
  const number = await shopper.submit();

  const other = await another();
  await other.page.goto('/orders/find');
  await other.page.getByRole('textbox', { name: '订单号' }).fill(grouped(number));
  await other.page.getByRole('textbox', { name: '手机号或邮箱' }).fill('wang@example.com');
  await other.page.getByRole('button', { name: '查询' }).click();
  await expect(other.heading('等待付款')).toBeVisible();

  // What the order says fills the form that changes it.
  await page.goto(`/orders/${number}/edit`);
  await expect(shopper.field('phone')).toHaveValue('');
  await expect(shopper.field('email')).toHaveValue('wang@example.com');
});

test('a shared device forgets whose orders it showed, and the orders stay', async ({ shopper, page, office, mine, guard }) => {
  guard.allow(/status of 404/);
  const { variant } = await office.stocked(mine('custom-red-envelopes', 'engraved-beer-glass'), 20);
  const number = await shopper.order(variant);
  await page.goto('/me');
  const forget = page.locator('summary', { hasText: '从这台设备上退出' });
  expect((await forget.boundingBox())?.height, 'a finger finds it').toBeGreaterThanOrEqual(44);
  await forget.click();
  await page.getByRole('button', { name: '退出', exact: true }).click();
  await expect(page).toHaveURL(/\/$/);
  const response = await page.goto(`/orders/${number}`);
  expect(response?.status()).toBe(404);
  await page.goto('/orders');
  await expect(page.getByRole('article')).toHaveCount(0);
  expect(await office.stock(variant), 'its pieces are still held').toBe(19);
});
