// Two-step verification: turned on, asked for at each sign-in, recovered and turned off. With script and without.

import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { type Shopper, expect, test } from '../support.ts';
import { Phone } from './phone.ts';
import { enter, fresh } from './sign_in.ts';

const PASSWORD = 'a sentence is fine';

async function signInWith(shopper: Shopper, name: string, to = '/me'): Promise<void> {
  const { page, t } = shopper;
  await page.goto(`/sign-in?with=password&to=${encodeURIComponent(to)}`);
  await page.getByRole('textbox', { name: t('account.name_or_target') }).fill(name);
  await page.getByRole('textbox', { name: t('account.password'), exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: t('account.sign_in'), exact: true }).click();
}

/** The field for a code of the app or a recovery code, on the page that asks for it. */
function field({ page, t }: Shopper): Locator {
  return page.getByRole('textbox', { name: t('second.code_or_recovery') });
}

/** Answers the question for the second factor. */
async function answer(shopper: Shopper, code: string): Promise<void> {
  const { page, t } = shopper;
  await expect(shopper.heading(t('second.sign_in_title'))).toBeVisible();
  await field(shopper).fill(code);
  await page.getByRole('button', { name: t('second.sign_in'), exact: true }).click();
}

/** From the page of security to the recovery codes. */
async function turnOn(shopper: Shopper): Promise<{ phone: Phone; codes: string[] }> {
  const { page, t } = shopper;
  await page.goto('/me/security');
  const section = page.getByRole('region', { name: t('second.title') });
  await expect(section.getByText(t('second.section_off'))).toBeVisible();
  await section.getByRole('link', { name: t('second.see_to') }).click();
  await expect(shopper.heading(t('second.title'))).toBeVisible();
  await page.getByRole('button', { name: t('second.begin') }).click();
  await expect(page.getByRole('img', { name: t('second.picture') })).toBeVisible();
  if (shopper.js) {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(over, 'nothing sticks out at the side').toBeLessThanOrEqual(0);
  }
  const key = await page.getByRole('group', { name: t('second.key') }).innerText();
  expect(key).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
  const phone = new Phone(key);

  const typed = page.getByRole('textbox', { name: t('second.code') });
  await typed.fill(phone.wrong());
  await page.getByRole('button', { name: t('second.confirm') }).click();
  await expect(typed).toHaveAccessibleDescription(new RegExp(t('problem.second_factor')));
  await expect(page.getByRole('group', { name: t('second.key') }), 'the key stays').toHaveText(key);
  await typed.fill(await phone.code());
  await page.getByRole('button', { name: t('second.confirm') }).click();
  const list = page.getByRole('list', { name: t('second.codes_title') });
  await expect(list.getByRole('listitem')).toHaveCount(10);
  if (shopper.js) {
    const heading = page.getByRole('heading', { name: t('second.codes_title') });
    await expect(heading, 'the reader goes on where the codes are').toBeFocused();
    await expect(heading).toBeInViewport();
  }
  return { phone, codes: await list.getByRole('listitem').allInnerTexts() };
}

async function setPassword(shopper: Shopper): Promise<void> {
  const { page, t } = shopper;
  await page.goto('/me/security');
  await page.getByRole('textbox', { name: t('account.new_password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('account.set_password') }).click();
  await expect(page.getByText(t('account.password_saved'))).toBeVisible();
}

/** Makes an account with a password; answers with its e-mail address. */
async function withPassword(shopper: Shopper, request: APIRequestContext): Promise<string> {
  const { page, t } = shopper;
  const target = fresh();
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, target);
  await expect(shopper.heading(t('account.security_title'))).toBeVisible();
  await setPassword(shopper);
  return target;
}

async function isGuest(page: Page, t: Shopper['t']): Promise<void> {
  await page.goto('/me');
  await expect(page.getByText(t('account.guest_title'))).toBeVisible();
}

test('the app is asked for at each sign-in, and what a guest had joins after it', async ({ shopper, page, another, office, request, guard, t }) => {
  guard.allow(/status of 422/);
  test.slow();
  const target = await withPassword(shopper, request);
  const { phone } = await turnOn(shopper);

  await test.step('they are shown until they are kept', async () => {
    await page.reload();
    await expect(page.getByRole('list', { name: t('second.codes_title') }).getByRole('listitem')).toHaveCount(10);
    await page.getByRole('button', { name: t('second.kept') }).click();
    await expect(page.getByRole('heading', { name: t('second.on_title') })).toBeVisible();
    await page.reload();
    await expect(page.getByRole('list', { name: t('second.codes_title') })).toHaveCount(0);
    await page.goto('/me/security');
    await expect(page.getByRole('region', { name: t('second.title') })).toContainText(t('second.left', { n: 10 }));
  });

  const { product, variant } = await office.stocked('desktop-aquarium');
  const other = await another();
  await other.put(variant, 2);
  await signInWith(other, target, '/cart');
  await expect(other.heading(t('second.sign_in_title'))).toBeVisible();
  await isGuest(other.page, t);
  await other.page.goto('/sign-in/second?to=/cart');
  await answer(other, phone.wrong());
  await expect(field(other)).toHaveAccessibleDescription(new RegExp(t('problem.second_factor')));
  await answer(other, await phone.code());
  await expect(other.page).toHaveURL(/\/cart$/);
  await expect(other.page.getByRole('spinbutton', { name: t('cart.quantity_of', { title: product.title }) })).toHaveValue('2');

  await other.page.goto('/sign-in/second');
  await expect(other.page.getByText(t('second.over'))).toBeVisible();
});

test('a recovery code lets in once, new ones are made, and it is turned off', async ({ shopper, page, another, request, guard, t }) => {
  guard.allow(/status of 422/);
  test.slow();
  const target = await withPassword(shopper, request);
  const { codes } = await turnOn(shopper);

  const other = await another();
  await signInWith(other, target, '/cart');
  await answer(other, codes[0] ?? '');
  await expect(other.page.getByText(t('second.used', { n: 9 }))).toBeVisible();
  await other.page.getByRole('link', { name: t('second.go_on') }).click();
  await expect(other.page).toHaveURL(/\/cart$/);
  await signInWith(other, target);
  await answer(other, codes[0] ?? '');
  await expect(field(other)).toHaveAccessibleDescription(new RegExp(t('problem.second_factor')));

  await page.getByRole('button', { name: t('second.kept') }).click();
  await expect(page.getByText(t('second.left', { n: 9 }))).toBeVisible();
  const renew = page.getByRole('group').filter({ hasText: t('second.renew_text') });
  await page.locator('summary', { hasText: t('second.renew_title') }).click();
  await renew.getByRole('button', { name: t('second.renew') }).click();
  await expect(renew.getByRole('textbox', { name: t('second.code_or_recovery') })).toHaveAccessibleDescription(new RegExp(t('problem.required')));
  await renew.getByRole('textbox', { name: t('second.code_or_recovery') }).fill(codes[1] ?? '');
  await renew.getByRole('button', { name: t('second.renew') }).click();
  const list = page.getByRole('list', { name: t('second.codes_title') });
  await expect(list.getByRole('listitem')).toHaveCount(10);
  await expect(list).not.toContainText(codes[2] ?? '');
  const fresh = await list.getByRole('listitem').allInnerTexts();
  await page.getByRole('button', { name: t('second.kept') }).click();

  const off = page.getByRole('group').filter({ hasText: t('second.off_again_text') });
  await page.locator('summary', { hasText: t('second.off_again_title') }).click();
  await off.getByRole('textbox', { name: t('second.code_or_recovery') }).fill(codes[1] ?? '');
  await off.getByRole('button', { name: t('second.turn_off') }).click();
  await expect(off.getByRole('textbox', { name: t('second.code_or_recovery') })).toHaveAccessibleDescription(new RegExp(t('problem.second_factor')));
  await off.getByRole('textbox', { name: t('second.code_or_recovery') }).fill(fresh[0] ?? '');
  await off.getByRole('button', { name: t('second.turn_off') }).click();
  await expect(page.getByText(t('second.turned_off'))).toBeVisible();
  await expect(page.getByRole('button', { name: t('second.begin') })).toBeVisible();
  await signInWith(other, target);
  await expect(other.page).toHaveURL(/\/me$/);
});
