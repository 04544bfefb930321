// The office's nights: prices and rules of a range, and rooms.

import { LOGIN, PASSWORD, expect, test } from '../support.ts';

test('a price is set for some nights, and what is wrong is told beside its field', async ({ page, guard, mine }) => {
  guard.allow(/status of 4(22|09)/);
  const handle = mine('-', '-', 'cloudwatch-inn-erhai', '-', 'qinyu-seaview-xiamen');
  await page.goto('/office/sign-in');
  await page.getByRole('textbox', { name: '用户名' }).fill(LOGIN);
  await page.getByRole('textbox', { name: '密码' }).fill(PASSWORD);
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await expect(page.getByRole('heading', { name: '订单', level: 1 })).toBeVisible();
  await page.getByRole('navigation', { name: '后台' }).getByRole('link', { name: '客房' }).click();
  await expect(page.getByRole('heading', { name: '客房', level: 1 })).toBeVisible();
  const house = page.getByRole('region').filter({ has: page.locator(`a[href="/p/${handle}"]`) });
  await house.getByRole('listitem').first().getByRole('link').click();
  await expect(page).toHaveURL(/\/office\/stays\/.+/);

  const day = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10);
  const rates = page.getByRole('region', { name: '修改价格与限制' });
  await rates.getByLabel('第一晚').fill(day);
  await rates.getByLabel('最后一晚').fill(day);
  await rates.getByRole('button', { name: '保存价格' }).click();
  await expect(rates.getByLabel(/^每晚价格/)).toHaveAccessibleDescription('请至少修改一项');
  await expect(rates.getByLabel('第一晚'), 'what was typed stays').toHaveValue(day);
  await rates.getByLabel(/^每晚价格/).fill('777');
  await rates.getByRole('button', { name: '保存价格' }).click();
  await expect(page.getByText('请至少修改一项')).toHaveCount(0);
  const path = new URL(page.url()).pathname;
  await expect(async () => {
    await page.goto(`${path}?month=${day.slice(0, 7)}`);
    await expect(page.getByRole('table')).toContainText('¥777', { timeout: 500 });
  }).toPass({ timeout: 15_000 });

  const rooms = page.getByRole('region', { name: '修改房间数' });
  await rooms.getByLabel('第一晚').fill(day);
  await rooms.getByLabel('最后一晚').fill(day);
  await rooms.getByLabel('房间数').fill('-1');
  await rooms.getByRole('button', { name: '保存房间数' }).click();
  await expect(rooms.getByLabel('房间数')).toHaveAttribute('aria-invalid', 'true');
});
