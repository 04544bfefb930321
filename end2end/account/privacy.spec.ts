// One's own data: a copy of it, the erasure of the account with a way back, and whom it was shared with. With script and
// without.

import { readFileSync } from 'node:fs';
import type { APIRequestContext } from '@playwright/test';
import { type Shopper, expect, grouped, test } from '../support.ts';
import { enter as signIn, fresh } from './sign_in.ts';

/** Signs in with a code, from whatever page is open, and goes on to another one. */
async function enter(shopper: Shopper, request: APIRequestContext, target: string, to: string): Promise<void> {
  await shopper.page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
  await signIn(shopper, request, target);
}

/** Sets a password, so that one can sign in again within the minute in which no other code is sent. */
async function setPassword(shopper: Shopper, password: string): Promise<void> {
  const { page, t } = shopper;
  await page.goto('/me/security');
  await page.getByRole('textbox', { name: t('account.new_password') }).fill(password);
  await page.getByRole('button', { name: t('account.set_password') }).click();
  await expect(page.getByText(t('account.password_saved'))).toBeVisible();
}

async function signInWith(shopper: Shopper, name: string, password: string): Promise<void> {
  const { page, t } = shopper;
  await page.goto('/sign-in?with=password');
  await page.getByRole('textbox', { name: t('account.name_or_target') }).fill(name);
  await page.getByRole('textbox', { name: t('account.password'), exact: true }).fill(password);
  await page.getByRole('button', { name: t('account.sign_in'), exact: true }).click();
}

test('a copy of all data is asked for, made and fetched', async ({ shopper, page, request, t }) => {
  const target = fresh();
  await page.goto('/me/privacy');
  await expect(page.getByText(t('privacy.sign_in_first'))).toBeVisible();
  await enter(shopper, request, target, '/me/privacy');
  await expect(shopper.heading(t('privacy.title'))).toBeVisible();

  const section = page.getByRole('region', { name: t('privacy.export_title') });
  await expect(section.getByText(t('privacy.nothing'))).toBeVisible();
  await section.getByRole('button', { name: t('privacy.ask'), exact: true }).click();
  await shopper.sees(section.getByRole('link', { name: t('privacy.download') }));
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    section.getByRole('link', { name: t('privacy.download') }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('xiadan-data.zip');
  const file = readFileSync(await download.path());
  expect(file.subarray(0, 4).toString('latin1')).toBe('PK\x03\x04');
  // Nothing is packed: the text is there as it is.
  expect(file.includes(target)).toBe(true);
  expect(file.includes('json/orders.json')).toBe(true);

  await section.getByRole('button', { name: t('privacy.discard') }).click();
  await expect(shopper.main.getByText(t('privacy.discarded'))).toBeVisible();
  await expect(section.getByText(t('privacy.nothing'))).toBeVisible();
});

test('an account is given up, and taken back by signing in again', async ({ shopper, page, request, guard, t }) => {
  guard.allow(/status of 4(22|29)/);
  const target = fresh();
  await enter(shopper, request, target, '/me');
  await expect(page).toHaveURL(/\/me$/);
  await setPassword(shopper, 'a sentence is fine');
  // Signed in with a password, it is asked for once more.
  await page.goto('/me/security');
  await page.getByRole('region', { name: t('account.devices_title') }).getByRole('button', { name: t('account.sign_out') }).click();
  await expect(page).toHaveURL(/\/$/);
  await signInWith(shopper, target, 'a sentence is fine');
  await expect(page).toHaveURL(/\/me$/);
  await page.getByRole('link', { name: t('me.privacy') }).click();

  const section = page.getByRole('region', { name: t('privacy.delete_title') });
  await section.getByText(t('privacy.delete_open')).click();
  const password = section.getByLabel(t('privacy.delete_password'));
  await password.fill('another sentence');
  await section.getByRole('button', { name: t('privacy.delete_submit') }).click();
  await expect(password).toHaveAccessibleDescription(new RegExp(t('problem.credentials')));
  await password.fill('a sentence is fine');
  await section.getByRole('button', { name: t('privacy.delete_submit') }).click();
  await expect(shopper.main.getByText(t('privacy.deletion_asked'))).toBeVisible();
  await expect(page.getByText(t('privacy.sign_in_first'))).toBeVisible();

  await signInWith(shopper, target, 'a sentence is fine');
  await expect(page).toHaveURL(/\/me\/privacy$/);
  await expect(page.getByText(t('privacy.pending_text'))).toBeVisible();
  await page.getByRole('button', { name: t('privacy.keep'), exact: true }).click();
  await expect(shopper.main.getByText(t('privacy.kept'))).toBeVisible();
  await expect(page.getByText(t('privacy.pending_text'))).toBeHidden();
});

test('a paid order that is not sent yet stands in the way, by its number', async ({ shopper, page, request, office, guard, t }) => {
  guard.allow(/status of 409/);
  const { variant } = await office.stocked('desktop-aquarium');
  await enter(shopper, request, fresh(), '/me/privacy');
  await expect(shopper.heading(t('privacy.title'))).toBeVisible();
  const number = await shopper.paidOrder(variant);
  await page.goto('/me/privacy');
  const section = page.getByRole('region', { name: t('privacy.delete_title') });
  await section.getByText(t('privacy.delete_open')).click();
  // A code has just shown who this is: no password is asked for.
  await section.getByRole('button', { name: t('privacy.delete_submit') }).click();
  await expect(section.getByText(t('error.orders_under_way', { number: grouped(number) }))).toBeVisible();
});

test('the page of whom data is shared with names them, and each time it was done', async ({ shopper, page, office, t }) => {
  const { variant } = await office.stocked('desktop-aquarium');
  await page.goto('/privacy');
  await page.getByRole('link', { name: t('privacy.shared_link') }).click();
  await expect(shopper.heading(t('privacy.shared_title'))).toBeVisible();
  const receivers = page.getByRole('region', { name: t('privacy.receivers_title') });
  await expect(receivers.getByText(t('privacy.receiver_carrier'), { exact: true })).toBeVisible();
  await expect(receivers.getByText(t('privacy.why_payment'))).toBeVisible();
  await expect(page.getByText(t('privacy.records_empty'))).toBeVisible();

  const number = await shopper.paidOrder(variant);
  await office.ship(number, '顺丰速运', 'SF1234567890');
  await page.goto('/privacy/shared');
  const records = page.getByRole('region', { name: t('privacy.records_title') });
  await expect(records.getByRole('listitem')).toHaveCount(2);
  await expect(records.getByRole('listitem').first()).toContainText('顺丰速运');
  await expect(records.getByRole('listitem').last()).toContainText(t('privacy.receiver_payment'));
  await records.getByRole('link', { name: grouped(number) }).first().click();
  await expect(page).toHaveURL(new RegExp(`/orders/${number}$`));
});
