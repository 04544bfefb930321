// The second factor of staff: set up from inside, asked for at the door from then on, and recovered. With script and
// without. Once set up it stays, so each project has a member of staff of its own.

import type { Locator } from '@playwright/test';
import { Phone } from '../account/phone.ts';
import { PASSWORD, type Shopper, expect, test } from '../support.ts';

/** Gives name and password at the door. */
async function knock({ page, t }: Shopper, login: string): Promise<void> {
  await page.getByRole('textbox', { name: t('office.login') }).fill(login);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
}

/** The field for a code of the app or a recovery code. */
function field({ page, t }: Shopper): Locator {
  return page.getByRole('textbox', { name: t('second.code_or_recovery') });
}

/** Answers the question for the second factor. */
async function answer(staff: Shopper, code: string): Promise<void> {
  const { page, t } = staff;
  await expect(page).toHaveURL(/\/office\/second\b/);
  await expect(page.getByText(t('second.sign_in_text'))).toBeVisible();
  await field(staff).fill(code);
  await page.getByRole('button', { name: t('second.sign_in'), exact: true }).click();
}

async function isRefused(staff: Shopper): Promise<void> {
  await expect(field(staff)).toHaveAccessibleDescription(new RegExp(staff.t('problem.second_factor')));
}

/** From a page of the office to the door. */
async function signOut(staff: Shopper): Promise<void> {
  await staff.page.getByRole('button', { name: staff.t('office.sign_out') }).click();
  await expect(staff.heading(staff.t('office.sign_in_title'))).toBeVisible();
}

/** The recovery codes that are shown. */
function codes({ page, t }: Shopper): Locator {
  return page.getByRole('list', { name: t('second.codes_title') }).getByRole('listitem');
}

test('whoever set the second factor up shows it at the door, and a recovery code opens it once', async ({ shopper: staff, page, mine, guard, t }) => {
  guard.allow(/status of 4(22|01|03)/);
  test.slow();
  const login = mine('-', '-', 'wei', '-', 'qin');
  await page.goto('/office/sign-in');
  await knock(staff, login);
  await expect(staff.heading(t('office.orders'))).toBeVisible();
  await page.getByRole('link', { name: t('second.office_title') }).click();
  await expect(staff.heading(t('second.office_title'))).toBeVisible();
  await expect(page.getByText(t('second.section_off'))).toBeVisible();
  await page.getByRole('button', { name: t('second.begin'), exact: true }).click();

  await expect(page.getByRole('img', { name: t('second.picture') })).toBeVisible();
  const key = page.getByRole('group', { name: t('second.key') });
  const shown = await key.innerText();
  expect(shown).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
  const phone = new Phone(shown);

  await test.step('a wrong code is told beside the field, and the key stays', async () => {
    const typed = page.getByRole('textbox', { name: t('second.code') });
    await typed.fill(phone.wrong());
    await page.getByRole('button', { name: t('second.confirm') }).click();
    await expect(typed).toHaveAccessibleDescription(new RegExp(t('problem.second_factor')));
    await expect(key).toHaveText(shown);
    await typed.fill(await phone.code());
    await page.getByRole('button', { name: t('second.confirm') }).click();
  });

  const recovery = await test.step('the recovery codes are shown until they are kept, and never again', async () => {
    await expect(codes(staff)).toHaveCount(10);
    const shown = await codes(staff).allInnerTexts();
    await page.reload();
    await expect(codes(staff)).toHaveText(shown);
    await page.getByRole('button', { name: t('second.kept') }).click();
    await expect(staff.heading(t('office.orders'))).toBeVisible();
    await page.goto('/office/second');
    await expect(page.getByRole('heading', { name: t('second.on_title') })).toBeVisible();
    await expect(page.getByText(t('second.left', { n: 10 }))).toBeVisible();
    await expect(codes(staff)).toHaveCount(0);
    return shown;
  });

  await test.step('the password alone opens nothing, and a code leads to the page that was asked for', async () => {
    await page.goto('/office');
    await signOut(staff);
    await page.goto('/office/stock');
    await expect(staff.heading(t('office.sign_in_title'))).toBeVisible();
    await knock(staff, login);
    await expect(staff.heading(t('second.office_title'))).toBeVisible();
    await page.goto('/office/stock');
    await expect(staff.heading(t('office.sign_in_title'))).toBeVisible();
    await page.goto('/office/second?to=/office/stock');
    await expect(page.getByText(t('second.office_for', { login }))).toBeVisible();
    await answer(staff, phone.wrong());
    await isRefused(staff);
    await answer(staff, await phone.code());
    await expect(staff.heading(t('office.stock'))).toBeVisible();
    await expect(page).toHaveURL(/\/office\/stock$/);
  });

  await test.step('a recovery code is told of, and was used', async () => {
    await signOut(staff);
    await knock(staff, login);
    await answer(staff, recovery[0] ?? '');
    await expect(page.getByText(t('second.used', { n: 9 }))).toBeVisible();
    await expect(page.getByText(t('second.left', { n: 9 }), { exact: true })).toBeVisible();
    await page.getByRole('link', { name: t('second.to_office') }).click();
    await expect(staff.heading(t('office.orders'))).toBeVisible();
    await signOut(staff);
    await knock(staff, login);
    await answer(staff, recovery[0] ?? '');
    await isRefused(staff);
    // As people copy them.
    await answer(staff, (recovery[1] ?? '').replaceAll('-', ' '));
    await expect(page.getByText(t('second.used', { n: 8 }))).toBeVisible();
  });

  await test.step('new recovery codes take the place of those before', async () => {
    const renew = page.getByRole('group').filter({ hasText: t('second.renew_text') });
    await page.locator('summary', { hasText: t('second.renew_title') }).click();
    await renew.getByRole('button', { name: t('second.renew') }).click();
    const typed = renew.getByRole('textbox', { name: t('second.code_or_recovery') });
    await expect(typed).toHaveAccessibleDescription(new RegExp(t('problem.required')));
    await typed.fill(recovery[2] ?? '');
    await renew.getByRole('button', { name: t('second.renew') }).click();
    await expect(codes(staff)).toHaveCount(10);
    for (const code of recovery) await expect(codes(staff).filter({ hasText: code })).toHaveCount(0);
    await page.getByRole('button', { name: t('second.kept') }).click();
    await expect(staff.heading(t('office.orders'))).toBeVisible();
  });
});
