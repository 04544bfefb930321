// The office: the door, the queue, the shelf.

import type { Page } from '@playwright/test';
import { LOGIN, PASSWORD, expect, grouped, money, test } from '../support.ts';

async function signIn(page: Page, login: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: '用户名' }).fill(login);
  await page.getByRole('textbox', { name: '密码' }).fill(password);
  await page.getByRole('button', { name: '登录', exact: true }).click();
}

test('only who knows the password gets in', async ({ page, guard }) => {
  guard.allow(/status of 4(22|01|03)/);
  await page.goto('/office');
  await expect(page.getByRole('heading', { name: '登录后台', level: 1 })).toBeVisible();
  await signIn(page, LOGIN, 'wrong horse battery');
  await expect(page.getByRole('textbox', { name: '密码' })).toHaveAccessibleDescription('用户名或密码不对');
  await expect(page).toHaveURL(/\/office\/sign-in/);
  await signIn(page, 'nobody', PASSWORD);
  await expect(page.getByRole('textbox', { name: '密码' })).toHaveAccessibleDescription('用户名或密码不对');

  await signIn(page, LOGIN, PASSWORD);
  await expect(page.getByRole('heading', { name: '订单', level: 1 })).toBeVisible();
  await expect(page).toHaveURL(/\/office$/);
  await page.getByRole('button', { name: '退出登录' }).click();
  await expect(page.getByRole('heading', { name: '登录后台', level: 1 })).toBeVisible();
  await page.goto('/office/stock');
  await expect(page.getByRole('heading', { name: '登录后台', level: 1 })).toBeVisible();
});

test('an order is found, shipped and completed', async ({ page, another, office, mine }) => {
  const { product, variant } = await office.stocked(mine('-', '-', 'camellia-body-lotion', '-', 'velvet-matte-lipstick'));
  const customer = await another();
  const number = await customer.paidOrder(variant, 2);
  await customer.open(`/orders/${number}`);

  await page.goto('/office/sign-in');
  await signIn(page, LOGIN, PASSWORD);
  await expect(page.getByRole('heading', { name: '订单', level: 1 })).toBeVisible();
  const search = page.getByRole('searchbox', { name: '搜索订单' });
  await search.fill(grouped(number));
  await search.press('Enter');
  const row = page.getByRole('row').filter({ hasText: grouped(number) });
  await expect(row).toContainText(`${product.title} × 2`);
  await expect(row).toContainText('待发货');
  await expect(row, 'a list shows no whole phone number').not.toContainText('138 0013 8000');
  await row.getByRole('link', { name: /^发货/ }).click();

  await expect(page.getByRole('heading', { name: '待发货', level: 1 })).toBeVisible();
  const to = page.getByRole('region', { name: '收货信息' });
  for (const text of ['王**', '138****8000', '南山区']) await expect(to).toContainText(text);
  await expect(to, 'who it goes to is asked for first').not.toContainText('科技南路');
  await page.getByRole('button', { name: '显示收件人' }).click();
  for (const text of ['王小明', '+86 138 0013 8000', '南山区', '科技南路 12 号']) await expect(to).toContainText(text);
  await page.getByRole('combobox', { name: '快递公司' }).fill('顺丰速运');
  await page.getByRole('textbox', { name: '运单号' }).fill(`SF${number}`);
  await page.getByRole('button', { name: '确认发货' }).click();
  await expect(page.getByRole('heading', { name: '已发货', level: 1 })).toBeVisible();
  await expect(to).toContainText(`SF${number}`);
  await customer.sees(customer.heading('在路上了'));

  await page.getByRole('link', { name: '标记为已完成' }).click();
  const asked = page.getByRole('dialog').or(page.getByRole('region', { name: '商品已经送达？' }));
  await asked.getByRole('button', { name: '标记为已完成' }).click();
  await expect(page.getByRole('heading', { name: '已完成', level: 1 })).toBeVisible();
  await customer.sees(customer.heading('已完成'));
});

test('stock and price are changed, and the customer’s open page follows', async ({ page, another, office, mine, guard }) => {
  guard.allow(/status of 422/);
  const { product, variant } = await office.stocked(mine('-', '-', 'goat-milk-soap', '-', 'safety-razor'), 60);
  const price = variant.price + 500;
  const customer = await another();
  await customer.order(variant, 2);
  await customer.open(`/p/${product.handle}?v=${variant.id}`);
  await expect(customer.page.getByText('现货', { exact: true })).toBeVisible();

  await page.goto('/office/sign-in');
  await signIn(page, LOGIN, PASSWORD);
  await page.getByRole('link', { name: '商品与库存' }).click();
  await expect(page.getByRole('heading', { name: '商品与库存', level: 1 })).toBeVisible();
  const search = page.getByRole('searchbox', { name: '搜索商品' });
  await search.fill(variant.sku);
  await search.press('Enter');
  const row = page.getByRole('row').filter({ hasText: variant.sku });
  await expect(row).toContainText(product.title);
  const onHand = row.getByRole('spinbutton', { name: /^库存：/ });
  const save = (what: string) => row.getByRole('button', { name: new RegExp(`保存 ${what}：`) }).click();

  await onHand.fill('7');
  await save('库存');
  await customer.sees(customer.page.getByText('仅剩 5 件'));

  await row.getByRole('textbox', { name: /^价格：/ }).fill((price / 100).toFixed(2));
  await save('价格');
  await customer.sees(customer.main.getByText(money(price), { exact: true }).first());

  await test.step('never fewer than customers hold', async () => {
    if (!customer.js) await onHand.evaluate((input: HTMLInputElement) => input.removeAttribute('min'));
    await onHand.fill('1');
    await save('库存');
    await expect(page.getByRole('alert').filter({ hasText: '有 2 件正被顾客占用，不能少于这个数' })).toBeVisible();
    expect(await office.stock(variant)).toBe(5);
  });
});

test('the stock list follows what others sell and count', async ({ page, another, office, mine, guard }) => {
  guard.allow(/status of 409/);
  const { variant } = await office.stocked(mine('-', '-', 'anti-colic-bottle', '-', 'beeswax-crayons'), 60);
  const customer = await another();
  await page.goto('/office/sign-in');
  await signIn(page, LOGIN, PASSWORD);
  await expect(page.getByRole('heading', { name: '订单', level: 1 })).toBeVisible();
  await page.goto(`/office/stock?q=${variant.sku}`);
  const row = page.getByRole('row').filter({ hasText: variant.sku });
  const cell = (name: string) => row.locator(`td[data-label="${name}"]`);
  await expect(cell('占用')).toHaveText('0');
  await customer.order(variant, 2);
  if (!customer.js) await page.reload();
  await expect(cell('占用')).toHaveText('2');

  await test.step('a count against an older figure is a conflict, and what was typed stays', async () => {
    const onHand = row.getByRole('spinbutton', { name: /^库存：/ });
    await onHand.fill('50');
    await office.setStock(variant, 40);
    await row.getByRole('button', { name: /保存 库存：/ }).click();
    await expect(page.getByRole('alert').filter({ hasText: /刚被别人/ })).toBeVisible();
    expect(await office.stock(variant)).toBe(40);
  });
});

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });

  test('a figure of the stock list and its button share a line', async ({ page, t }) => {
    await page.goto('/office/sign-in?to=/office/stock');
    await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
    await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
    await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
    await expect(page.getByRole('heading', { name: t('office.stock'), level: 1 })).toBeVisible();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, 'nothing sticks out').toBeLessThanOrEqual(0);
    for (const form of await page.locator('.table .inline-form').all()) {
      const middles = await form.locator('.input, button').evaluateAll((all) =>
        all.map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => Math.round((top + bottom) / 2)));
      expect(Math.max(...middles) - Math.min(...middles)).toBeLessThan(4);
    }
  });
});
