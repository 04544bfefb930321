// Reviews in the office: answered in public, hidden for a reason, shown again. With script and without.

import { LOGIN, PASSWORD, expect, test } from '../support.ts';

test('a review is answered, hidden for a reason and shown again', async ({ shopper, page, office, t, guard, mine }) => {
  guard.allow(/status of 4(01|22)/);
  const handle = mine('-', '-', 'weeknight-cookbook', '-', 'illustrated-world-map', '-');
  const { variant } = await office.stocked(handle);
  const number = await shopper.paidOrder(variant);
  await office.ship(number, '顺丰速运', 'SF1234567890');
  await shopper.post('order/complete', { number });
  await shopper.post('review/write', { number, position: 0, stars: 2, body: `有一页没印清楚 ${handle}` });

  await page.goto('/office/reviews?filter=low');
  await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
  await expect(page.getByRole('heading', { name: t('review.office_title'), level: 1 })).toBeVisible();
  const row = page.getByRole('article').filter({ hasText: handle });

  await row.locator('summary').filter({ hasText: t('review.office_answer') }).click();
  await row.getByRole('textbox', { name: t('review.answer'), exact: true }).fill('马上给你换一本');
  await row.getByRole('button', { name: t('review.office_answer_send'), exact: true }).click();
  await expect(row.locator('.review-answer')).toContainText('马上给你换一本');
  await shopper.open(`/p/${handle}`);
  await expect(page.getByRole('region', { name: t('review.title'), exact: true })).toContainText('马上给你换一本');

  await page.goto('/office/reviews?filter=low');
  await row.locator('summary').filter({ hasText: t('review.office_hide') }).click();
  await row.getByRole('textbox', { name: t('review.office_reason'), exact: true }).fill('含有他人姓名');
  await row.getByRole('button', { name: t('review.office_hide_do'), exact: true }).click();
  await expect(row).toHaveCount(0);
  await shopper.open(`/p/${handle}`);
  await expect(page.getByRole('region', { name: t('review.title'), exact: true })).toContainText(t('review.none'));
  await shopper.open(`/orders/${number}/review/0`);
  await expect(page.getByText(t('review.hidden_note', { reason: '含有他人姓名' }))).toBeVisible();

  await page.goto('/office/reviews?filter=hidden');
  await row.getByRole('button', { name: t('review.office_show'), exact: true }).click();
  await expect(row).toHaveCount(0);
  await shopper.open(`/p/${handle}`);
  await expect(page.getByRole('region', { name: t('review.title'), exact: true })).toContainText('有一页没印清楚');
});
