// The office's day: who works, what is taken, and time that is blocked and given back. With script and without.

import { LOGIN, PASSWORD, expect, test } from '../support.ts';

test('time of somebody is blocked for a reason and given back', async ({ page, guard, t, mine }) => {
  guard.allow(/status of 4(01|22)/);
  await page.goto('/office/bookings');
  await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
  await expect(page.getByRole('heading', { name: t('booking_office.title'), level: 1 })).toBeVisible();
  await expect(page.getByRole('link', { name: t('booking_office.title'), exact: true })).toHaveAttribute('aria-current', 'page');

  // Each project has a venue of its own; three weeks from now nobody has anything to do there.
  const venue = mine('-', '-', '上门推拿', '-', '日常保洁', '-');
  const date = new Date(Date.now() + 21 * 86_400_000).toISOString().slice(0, 10);
  await page.getByRole('combobox', { name: t('booking_office.venue') }).selectOption(venue);
  await page.getByLabel(t('booking_office.date'), { exact: true }).fill(date);
  await page.getByRole('button', { name: t('booking_office.show'), exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`date=${date}`));

  const person = page.locator('.agenda-column').first();
  await expect(person.getByRole('heading', { level: 3 })).toBeVisible();
  await person.locator('summary').click();
  await person.getByLabel(t('booking_office.from'), { exact: true }).fill('06:00');
  await person.getByLabel(t('booking_office.until'), { exact: true }).fill('07:30');
  await person.getByLabel(t('booking_office.reason'), { exact: true }).fill('培训课');
  await person.getByRole('button', { name: t('booking_office.block_now'), exact: true }).click();
  const blocked = person.getByRole('listitem').filter({ hasText: '培训课' });
  await expect(blocked).toContainText('06:00–07:30');

  await page.getByRole('link', { name: t('booking_office.week'), exact: true }).click();
  await expect(page).toHaveURL(/view=week/);
  await expect(page.locator('.agenda-column')).toHaveCount(7);
  await expect(page.locator('.agenda-column').first()).toContainText('培训课');
  await page.getByRole('link', { name: t('booking_office.one_day'), exact: true }).click();
  await expect(page).not.toHaveURL(/view=week/);

  await blocked.getByRole('button', { name: new RegExp(t('booking_office.unblock')) }).click();
  await expect(blocked).toHaveCount(0);
});
