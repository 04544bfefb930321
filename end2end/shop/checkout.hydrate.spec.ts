// Submitting an order on a bad line, and in a hurry.

import { expect, test } from '../support.ts';

test('a lost answer and a second try give one order', async ({ shopper, page, office, guard }) => {
  guard.allow(/ERR_FAILED/);
  const { variant } = await office.stocked('weeknight-cookbook');
  await shopper.put(variant);
  await shopper.keepAddress();
  await shopper.open('/checkout/review');
  // The order reaches the shop, its answer does not reach the customer.
  await page.route('**/api/order/submit', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.getByRole('button', { name: '提交订单' }).click();
  const lost = page.getByRole('alert').filter({ hasText: '没有收到回应' });
  await expect(lost).toBeVisible();
  await page.unroute('**/api/order/submit');
  await lost.getByRole('button', { name: '再试一次' }).click();
  await shopper.placed();
  expect(await shopper.orders()).toBe(1);
});

test('an impatient double click gives one order', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('confetti-journal');
  await shopper.put(variant);
  await shopper.keepAddress();
  await shopper.open('/checkout/review');
  await page.getByRole('button', { name: '提交订单' }).dblclick();
  await shopper.placed();
  expect(await shopper.orders()).toBe(1);
});

test('what is typed is kept while it is typed', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('spiral-sketchbook');
  await shopper.put(variant);
  await shopper.open('/checkout');
  const kept = page.waitForResponse((response) => response.url().includes('/api/order/save_checkout'));
  await shopper.field('recipient').fill('李雷');
  await shopper.field('note').fill('请按门铃');
  await expect(page.getByText('已写 4 / 200 字')).toBeVisible();
  await kept;
  await shopper.reload();
  await expect(shopper.field('recipient')).toHaveValue('李雷');
  await expect(shopper.field('note')).toHaveValue('请按门铃');
});

test('what was typed a moment before leaving is kept', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('spiral-sketchbook');
  await shopper.put(variant);
  await shopper.open('/checkout');
  await shopper.field('recipient').fill('韩梅梅');
  await page.goto('about:blank');
  await expect(async () => {
    await shopper.open('/checkout');
    await expect(shopper.field('recipient')).toHaveValue('韩梅梅', { timeout: 200 });
  }).toPass({ timeout: 5000 });
});

test('while the cities are on their way their select says so', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('spiral-sketchbook');
  await shopper.put(variant);
  await shopper.open('/checkout');
  let send = () => {};
  const sent = new Promise<void>((done) => (send = done));
  await page.route('**/api/order/checkout*', async (route) => {
    await sent;
    await route.continue();
  });
  const city = shopper.select('city');
  await shopper.select('province').selectOption('广东省');
  await expect(city).toHaveAttribute('aria-busy', 'true');
  await expect(city.getByRole('option')).toHaveText(['正在加载城市和区县']);
  await expect(shopper.select('district')).not.toHaveAttribute('aria-busy', 'true');
  send();
  await city.selectOption('深圳市');
  await expect(city).not.toHaveAttribute('aria-busy', 'true');
  await expect(city.getByRole('option').first()).toHaveText('请选择');
});

test('the button to the cashier works again after coming back from there', async ({ shopper, page, office }) => {
  const { variant } = await office.stocked('spiral-sketchbook');
  const number = await shopper.order(variant);
  await shopper.open(`/pay/${number}`);
  // The answer is late: the browser shows the page again as it was left before it comes.
  let send = () => {};
  const sent = new Promise<void>((done) => (send = done));
  await page.route('**/api/order/pay', async (route) => {
    await sent;
    await route.fulfill({ json: 'about:blank' });
  });
  const pay = page.getByRole('button', { name: /^付款 / });
  const answered = page.waitForResponse('**/api/order/pay');
  await pay.click();
  await expect(pay).toHaveAttribute('aria-busy', 'true');
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await expect(pay).not.toHaveAttribute('aria-busy', 'true');
  send();
  await answered;
  await page.waitForTimeout(300);
  await expect(pay).not.toHaveAttribute('aria-busy', 'true');
});
