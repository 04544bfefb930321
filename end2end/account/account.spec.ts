// An account: made by a code, opened by a password, seen on its devices. With script and without.

import type { Page } from '@playwright/test';
import { type Shopper, expect, test } from '../support.ts';
import { codeFor, enter, fresh } from './sign_in.ts';

async function signInWith(page: Page, shopper: Shopper, name: string, password: string): Promise<void> {
  const { t } = shopper;
  await page.getByRole('textbox', { name: t('account.name_or_target') }).fill(name);
  await page.getByRole('textbox', { name: t('account.password'), exact: true }).fill(password);
  await page.getByRole('button', { name: t('account.sign_in'), exact: true }).click();
}

test('a code makes an account, which keeps the cart and shows it on another device', async ({ shopper, page, another, office, request, t }) => {
  const target = fresh();
  const { product, variant } = await office.stocked('desktop-aquarium');
  await shopper.put(variant, 2);
  await page.goto('/me');
  await page.getByRole('link', { name: t('account.sign_in_title') }).click();
  await enter(shopper, request, target);
  await expect(page).toHaveURL(/\/me$/);
  await expect(page.getByText(t('account.hello', { name: 'l***@example.com' }))).toBeVisible();

  const other = await another();
  await other.page.goto('/sign-in?to=/cart');
  // Codes are sent once a minute to one target: the first device sets a password instead.
  await page.getByRole('link', { name: t('account.security_title') }).click();
  await expect(shopper.heading(t('account.security_title'))).toBeVisible();
  await page.getByRole('textbox', { name: t('account.new_password') }).fill('a sentence is fine');
  await page.getByRole('button', { name: t('account.set_password') }).click();
  await expect(page.getByText(t('account.password_saved'))).toBeVisible();

  await other.page.getByRole('link', { name: t('account.with_password') }).click();
  await signInWith(other.page, other, target, 'a sentence is fine');
  await expect(other.page).toHaveURL(/\/cart$/);
  await expect(other.page.getByRole('spinbutton', { name: t('cart.quantity_of', { title: product.title }) })).toHaveValue('2');
});

test('what is wrong is said beside its field, and what was typed stays', async ({ shopper, page, request, guard, t }) => {
  guard.allow(/status of 4(22|29)/);
  const target = fresh();
  await page.goto('/sign-in');
  const field = page.getByRole('textbox', { name: t('account.target') });
  await field.fill('12345');
  await page.getByRole('button', { name: t('account.send_code') }).click();
  await expect(field).toHaveAccessibleDescription(new RegExp(t('problem.phone')));
  await expect(field).toHaveValue('12345');

  await field.fill(target);
  await page.getByRole('button', { name: t('account.send_code') }).click();
  await expect(page.getByText('l***@example.com')).toBeVisible();
  const code = await codeFor(request, target);
  const typed = page.getByRole('textbox', { name: t('account.code'), exact: true });
  const agree = page.getByRole('checkbox');
  const submit = page.getByRole('button', { name: t('account.enter'), exact: true });
  await typed.fill(code === '000000' ? '111111' : '000000');
  await submit.click();
  await expect(agree).toHaveAccessibleDescription(new RegExp(t('problem.consent')));
  await agree.check();
  await typed.fill(code === '000000' ? '111111' : '000000');
  if (!shopper.js) await submit.click();
  await expect(typed).toHaveAccessibleDescription(new RegExp(t('problem.code')));
  if (!shopper.js) await agree.check();
  await typed.fill(code);
  if (!shopper.js) await submit.click();
  await expect(page).toHaveURL(/\/me$/);
});

test('the owner sees the devices, ends one, and signs out', async ({ shopper, page, another, request, t }) => {
  const target = fresh();
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, target);
  await expect(shopper.heading(t('account.security_title'))).toBeVisible();
  await page.getByRole('textbox', { name: t('account.name') }).fill('李雷');
  await page.getByRole('button', { name: t('account.save') }).click();
  await expect(page.getByText(t('account.profile_saved'))).toBeVisible();
  await page.getByRole('textbox', { name: t('account.new_password') }).fill('a sentence is fine');
  await page.getByRole('button', { name: t('account.set_password') }).click();
  await expect(page.getByText(t('account.password_saved'))).toBeVisible();

  const other = await another();
  await other.page.goto('/sign-in?with=password');
  await signInWith(other.page, other, target, 'a sentence is fine');
  await expect(other.page.getByText(t('account.hello', { name: '李雷' }))).toBeVisible();

  await page.goto('/me/security');
  const devices = page.getByRole('region', { name: t('account.devices_title') });
  await expect(devices.getByRole('listitem')).toHaveCount(2);
  await devices.getByRole('button', { name: t('account.end_others') }).click();
  await expect(devices.getByRole('listitem')).toHaveCount(1);
  await other.page.goto('/me');
  await expect(other.page.getByText(t('account.guest_title'))).toBeVisible();

  await devices.getByRole('button', { name: t('account.sign_out') }).click();
  await expect(page).toHaveURL(/\/$/);
  await page.goto('/me');
  await expect(page.getByText(t('account.guest_title'))).toBeVisible();
});
