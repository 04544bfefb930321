// Who works here: an owner removes somebody, which asks first, and never oneself. With script and without.

import { LOGIN, PASSWORD, expect, test } from '../support.ts';

test('an owner sees who works here and removes somebody else', async ({ page, guard, mine, t }) => {
  guard.allow(/status of 401/);
  const gone = mine('-', '-', 'gao', '-', 'tan');
  await page.goto('/office/people');
  await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
  await expect(page.getByRole('heading', { name: t('office.people'), level: 1 })).toBeVisible();
  await expect(page.getByRole('link', { name: t('office.people'), exact: true })).toHaveAttribute('aria-current', 'page');

  const list = page.getByRole('region', { name: t('office.people') }).getByRole('listitem');
  const own = list.filter({ hasText: LOGIN });
  await expect(own).toContainText(t('office.you'));
  await expect(own.getByText(t('office.remove')), 'not oneself').toHaveCount(0);

  const row = list.filter({ hasText: gone });
  await expect(row).toContainText(t('office.never_signed_in'));
  const remove = row.getByRole('button', { name: t('office.remove_confirm').replace('{login}', gone) });
  await expect(remove, 'it asks first').toBeHidden();
  await row.locator('summary').click();
  await remove.click();
  await expect(row).toHaveCount(0);
  await expect(own).toBeVisible();
});

test('a password is replaced by whoever knows it', async ({ page, guard, t }) => {
  guard.allow(/status of 4(01|22)/);
  await page.goto('/office/password');
  await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
  await expect(page.getByRole('heading', { name: t('office.own_password'), level: 1 })).toBeVisible();
  const [old, fresh] = [t('account.old_password'), t('account.new_password')].map((name) => page.getByRole('textbox', { name }));
  await old.fill('wrong horse battery');
  await fresh.fill('another horse battery');
  await page.getByRole('button', { name: t('account.set_password'), exact: true }).click();
  await expect(old).toHaveAccessibleDescription(new RegExp(t('problem.credentials')));
});
