// What belongs to a person: addresses, favourites, what was looked at, and choices. With script and without.

import type { Locator } from '@playwright/test';
import { type Shopper, expect, test } from '../support.ts';
import { enter, fresh } from './sign_in.ts';

/** Fills the form of an address from its page and saves it. */
async function addAddress(shopper: Shopper, recipient: string, detail: string, label?: string): Promise<void> {
  const { page, t } = shopper;
  await page.getByRole('link', { name: t('personal.add_address') }).click();
  await expect(shopper.heading(t('personal.add_address'))).toBeVisible();
  await shopper.fillCheckout({ ...shopper.who, recipient, detail });
  if (label) await page.getByRole('radio', { name: label, exact: true }).check();
  await page.getByRole('button', { name: t('personal.save'), exact: true }).click();
  await expect(page.getByText(t('personal.address_saved'))).toBeVisible();
}

/** The row of an address. */
function row(shopper: Shopper, detail: string): Locator {
  return shopper.main.getByRole('listitem').filter({ hasText: detail });
}

test('addresses are added, made the default, changed and deleted', async ({ shopper, page, request, t }) => {
  await page.goto('/me/addresses');
  await page.getByRole('link', { name: t('account.sign_in_title') }).click();
  await enter(shopper, request, fresh());
  await expect(page).toHaveURL(/\/me\/addresses$/);
  await expect(page.getByText(t('personal.addresses_empty_title'))).toBeVisible();

  await addAddress(shopper, shopper.who.recipient, 'First Road 1', t('personal.home'));
  await addAddress(shopper, 'Han Meimei', 'Second Road 2');
  await expect(row(shopper, 'First Road 1')).toContainText(t('personal.home'));
  await expect(row(shopper, 'First Road 1')).toContainText(t('personal.default'));

  const makeDefault = row(shopper, 'Second Road 2').getByRole('button', { name: t('personal.make_default') });
  await makeDefault.click();
  // The default comes first, so that the rows change places.
  await expect(makeDefault).toHaveCount(0);
  await expect(row(shopper, 'Second Road 2')).toContainText(t('personal.default'));

  await row(shopper, 'First Road 1').getByRole('link', { name: t('personal.edit') }).click();
  await expect(shopper.heading(t('personal.edit_address'))).toBeVisible();
  await expect(shopper.field('detail')).toHaveValue('First Road 1');
  await expect(shopper.select('district')).toHaveValue('440305');
  await shopper.field('detail').fill('Third Road 3');
  await page.getByRole('button', { name: t('personal.save'), exact: true }).click();
  await expect(row(shopper, 'Third Road 3')).toBeVisible();

  // It asks first.
  await row(shopper, 'Second Road 2').getByText(t('personal.delete'), { exact: false }).first().click();
  await row(shopper, 'Second Road 2').getByRole('button', { name: t('personal.delete_yes') }).click();
  await expect(row(shopper, 'Second Road 2')).toHaveCount(0);
  await expect(row(shopper, 'Third Road 3')).toContainText(t('personal.default'));
});

test('what is wrong with an address is said beside its field, and what was typed stays', async ({ shopper, page, request, guard, t }) => {
  guard.allow(/status of 422/);
  await page.goto('/sign-in?to=/me/addresses/edit');
  await enter(shopper, request, fresh());
  await expect(shopper.heading(t('personal.add_address'))).toBeVisible();
  await shopper.field('phone').fill('123');
  await page.getByRole('radio', { name: t('personal.own'), exact: true }).check();
  await page.getByRole('button', { name: t('personal.save'), exact: true }).click();
  await expect(shopper.field('phone')).toHaveAccessibleDescription(new RegExp(t('problem.phone')));
  await expect(shopper.field('phone')).toHaveValue('123');
  const label = page.getByRole('textbox', { name: t('personal.label_text') });
  await expect(label).toHaveAccessibleDescription(new RegExp(t('problem.required')));
  await expect(page.getByRole('radio', { name: t('personal.own'), exact: true })).toBeChecked();
});

test('the checkout begins with the default, and a choice fills it', async ({ shopper, page, office, request, t }) => {
  const { variant } = await office.stocked('desktop-aquarium');
  await page.goto('/sign-in?to=/me/addresses');
  await enter(shopper, request, fresh());
  await expect(page).toHaveURL(/\/me\/addresses$/);
  await addAddress(shopper, shopper.who.recipient, 'First Road 1');
  await addAddress(shopper, 'Han Meimei', 'Second Road 2');
  await shopper.put(variant, 1);

  await shopper.open('/checkout');
  await expect(shopper.field('detail')).toHaveValue('First Road 1');
  await shopper.field('note').fill('At the door');
  await page.getByRole('radio', { name: /Second Road 2/ }).check();
  if (!shopper.js) await page.getByRole('button', { name: t('checkout.use_address') }).click();
  await expect(shopper.field('detail')).toHaveValue('Second Road 2');
  await expect(shopper.field('recipient')).toHaveValue('Han Meimei');
  await expect(shopper.select('district')).toHaveValue('440305');
  await expect(shopper.field('note')).toHaveValue('At the door');

  // Another one, which is saved on the way.
  await page.getByRole('radio', { name: t('checkout.other_address') }).check();
  if (!shopper.js) await page.getByRole('button', { name: t('checkout.use_address') }).click();
  await expect(shopper.field('detail')).toHaveValue('');
  await shopper.fillCheckout({ ...shopper.who, detail: 'Third Road 3' });
  await page.getByRole('checkbox', { name: t('checkout.save_address') }).check();
  await shopper.next();
  await expect(shopper.heading(t('checkout.review_title'))).toBeAttached();
  await expect(shopper.main.getByText('Third Road 3')).toBeVisible();
  await page.goto('/me/addresses');
  await expect(row(shopper, 'Third Road 3')).toBeVisible();

  // Going on after another choice takes that address, also where no button filled the form.
  await shopper.open('/checkout');
  await page.getByRole('radio', { name: /First Road 1/ }).check();
  if (shopper.js) await expect(shopper.field('detail')).toHaveValue('First Road 1');
  await shopper.next();
  await expect(shopper.heading(t('checkout.review_title'))).toBeAttached();
  await expect(shopper.main.getByText('First Road 1')).toBeVisible();
});

test('a favourite of a guest is kept, taken away, put back, and joins the account', async ({ shopper, page, office, request, t }) => {
  const { product } = await office.stocked('desktop-aquarium');
  await shopper.open('/p/desktop-aquarium');
  const heart = page.getByRole('button', { name: t('personal.favourite'), exact: true });
  await expect(heart).toHaveAttribute('aria-pressed', 'false');
  await heart.click();
  await expect(heart).toHaveAttribute('aria-pressed', 'true');
  if (shopper.js) await expect(page.getByText(t('personal.favourite_added'))).toBeVisible();

  await page.goto('/me/favourites');
  await expect(row(shopper, product.title)).toContainText(t('catalog.in_stock_now'));
  await row(shopper, product.title).getByRole('button', { name: t('personal.remove') }).click();
  await expect(page.getByText(t('personal.favourites_empty_title'))).toBeVisible();
  await page.getByRole('button', { name: t('common.undo') }).click();
  await expect(row(shopper, product.title)).toBeVisible();

  await page.goto('/sign-in?to=/me/favourites');
  await enter(shopper, request, fresh());
  await expect(page).toHaveURL(/\/me\/favourites$/);
  await expect(row(shopper, product.title)).toBeVisible();
});

test('what was looked at is found again, cleared, and not remembered where it is refused', async ({ shopper, page, office, t }) => {
  const { product, variant } = await office.stocked('desktop-aquarium');
  // A look alone makes nobody a customer.
  await shopper.put(variant, 1);
  await shopper.open('/p/desktop-aquarium');
  const shown = row(shopper, product.title);
  await expect(async () => {
    await page.goto('/me/viewed');
    await expect(shown).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 15_000 });

  await page.getByRole('button', { name: t('personal.clear_viewed') }).click();
  await expect(page.getByText(t('personal.viewed_empty_title'))).toBeVisible();
  await page.getByRole('button', { name: t('personal.turn_off_viewed') }).click();
  await expect(page.getByText(t('personal.viewed_off_text'))).toBeVisible();
  await shopper.open('/p/desktop-aquarium');
  await page.goto('/me/viewed');
  await expect(page.getByText(t('personal.viewed_off_text'))).toBeVisible();
  await page.getByRole('button', { name: t('personal.turn_on_viewed') }).click();
  await expect(page.getByRole('button', { name: t('personal.turn_off_viewed') })).toBeVisible();
});

test('offers are off until they are chosen, and choices are kept', async ({ shopper, page, request, t }) => {
  await page.goto('/sign-in?to=/me/notifications');
  await enter(shopper, request, fresh());
  await expect(shopper.heading(t('personal.notifications_title'))).toBeVisible();
  const of = (topic: string, way: string) =>
    page.getByRole('group', { name: t(topic) }).getByRole('checkbox', { name: new RegExp(`^${t(way)}`) });
  const recommend = page.getByRole('checkbox', { name: t('personal.recommendation_agree') });
  await expect(of('personal.topic_order', 'personal.by_email')).toBeChecked();
  await expect(of('personal.topic_marketing', 'personal.by_email')).not.toBeChecked();
  await expect(recommend).not.toBeChecked();
  await of('personal.topic_marketing', 'personal.by_email').check();
  await of('personal.topic_order', 'personal.by_phone').uncheck();
  await page.getByRole('button', { name: t('personal.save'), exact: true }).click();
  await expect(page.getByText(t('personal.notifications_saved'))).toBeVisible();
  await page.goto('/me/notifications');
  await expect(of('personal.topic_marketing', 'personal.by_email')).toBeChecked();
  await expect(of('personal.topic_order', 'personal.by_phone')).not.toBeChecked();
  await expect(recommend).not.toBeChecked();
});
