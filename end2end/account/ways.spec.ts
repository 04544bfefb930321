// The ways into an account beside those by e-mail and code: a phone, a user name, and a code in place of a password that
// was forgotten. With script and without.

import type { Locator } from '@playwright/test';
import { type Shopper, expect, test } from '../support.ts';
import { enter, fresh, freshPhone, masked } from './sign_in.ts';

const PASSWORD = 'a sentence is fine';
const NEW_PASSWORD = 'another sentence too';

/** Fills the form for a password, which is open. */
async function signInWith({ page, t }: Shopper, name: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: t('account.name_or_target') }).fill(name);
  await field({ page, t }).fill(password);
  await page.getByRole('button', { name: t('account.sign_in'), exact: true }).click();
}

const field = ({ page, t }: Pick<Shopper, 'page' | 't'>): Locator =>
  page.getByRole('textbox', { name: t('account.password'), exact: true });

/** Sets a password on the page of security. */
async function setPassword({ page, t }: Shopper, password: string): Promise<void> {
  await page.getByRole('textbox', { name: t('account.new_password') }).fill(password);
  await page.getByRole('button', { name: t('account.set_password') }).click();
  await expect(page.getByText(t('account.password_saved'))).toBeVisible();
}

test('a phone makes an account, which its number and a user name open with a password', async ({ shopper, page, another, request, t }) => {
  const number = freshPhone();
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, number, `+86${number}`);
  await expect(shopper.heading(t('account.security_title'))).toBeVisible();
  await expect(page.getByRole('region', { name: t('target.title') })).toContainText(masked(number));
  const login = `li-${number}`;
  await page.getByRole('textbox', { name: t('account.login') }).fill(login.toUpperCase());
  await page.getByRole('button', { name: t('account.save') }).click();
  await expect(page.getByText(t('account.profile_saved'))).toBeVisible();
  await setPassword(shopper, PASSWORD);

  for (const name of [number, login, `+86 ${number.slice(0, 3)} ${number.slice(3, 7)} ${number.slice(7)}`]) {
    const other = await another();
    await other.page.goto('/sign-in?with=password&to=/me/security');
    await signInWith(other, name, PASSWORD);
    await expect(other.heading(t('account.security_title'))).toBeVisible();
    await expect(other.page.getByRole('region', { name: t('target.title') })).toContainText(masked(number));
  }
});

test('a forgotten password is replaced after a code, and opens nothing more', async ({ shopper, page, another, request, guard, t }) => {
  guard.allow(/status of 422/);
  const target = fresh();
  // As from another network, so that nobody waits for the minute between two codes.
  await page.setExtraHTTPHeaders({ 'x-forwarded-for': '192.0.2.7' });
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, target);
  await expect(shopper.heading(t('account.security_title'))).toBeVisible();
  await setPassword(shopper, PASSWORD);

  const other = await another();
  await other.page.goto('/sign-in?with=password');
  await signInWith(other, target, 'what was it again');
  await expect(field(other)).toHaveAccessibleDescription(new RegExp(t('problem.credentials')));
  await expect(other.page.getByRole('textbox', { name: t('account.name_or_target') })).toHaveValue(target);
  await other.page.getByRole('link', { name: t('account.forgotten') }).click();
  await expect(other.page.getByRole('button', { name: t('account.send_code') })).toBeVisible();
  await enter(other, request, target);
  await expect(other.heading(t('account.security_title'))).toBeVisible();
  await expect(other.page.getByRole('textbox', { name: t('account.old_password') }), 'the code is proof enough').toHaveCount(0);
  await setPassword(other, NEW_PASSWORD);

  await page.goto('/me');
  await expect(page.getByText(t('account.guest_title')), 'whoever knew the old one is out').toBeVisible();
  await page.goto('/sign-in?with=password');
  await signInWith(shopper, target, PASSWORD);
  await expect(field(shopper)).toHaveAccessibleDescription(new RegExp(t('problem.credentials')));
  await signInWith(shopper, target, NEW_PASSWORD);
  await expect(page).toHaveURL(/\/me$/);
  await expect(page.getByText(t('account.hello', { name: 'l***@example.com' }))).toBeVisible();
});

test('who agreed to the present terms is asked nothing, and a guest is shown the way in', async ({ shopper, page, request, t }) => {
  await page.goto('/me/consent?to=/cart');
  await expect(page.getByText(t('consent.sign_in_first'))).toBeVisible();
  await page.goto('/sign-in?to=/me/consent');
  await enter(shopper, request, fresh());
  await expect(shopper.heading(t('consent.title'))).toBeVisible();
  await expect(page.getByText(t('consent.agreed'))).toBeVisible();
  await page.goto('/me/consent?to=/cart');
  await page.getByRole('link', { name: t('consent.go_on'), exact: true }).click();
  await expect(page).toHaveURL(/\/cart$/);
});
