// Services: what is chosen is in the address, so that all of it works without script; a slot is one tap.

import type { Locator } from '@playwright/test';
import { type Shopper, expect, oneOf, test } from '../support.ts';

/** The times of the day that is shown. */
function slots({ page, t }: Shopper): Locator {
  return page.getByRole('region', { name: new RegExp(t('booking_visit.times_of', { date: '.+' })) }).locator('button[name=wish]:visible');
}

/** The first time of the day or the last one: those who have the same service in another project have the other one. */
function ends(shopper: Shopper, mine: (...names: string[]) => string): Locator {
  const all = slots(shopper);
  return mine('first', 'first', 'last', '-', 'last', '-') === 'first' ? all.first() : all.last();
}

/** After a slot was chosen: a message with script, the cart without. */
async function added(shopper: Shopper): Promise<void> {
  if (shopper.js) await expect(shopper.page.getByText(shopper.t('booking_visit.added'))).toBeVisible();
  else await expect(shopper.page).toHaveURL(/\/cart$/);
}

/** Goes to the last day of the month on which anything is free, or of the next month. */
async function lastFreeDay({ page, t }: Shopper): Promise<void> {
  // The address changes before the month that is shown.
  const month = page.locator('.calendar-title');
  const before = await month.innerText();
  await page.getByRole('link', { name: t('booking_visit.month_after') }).click();
  await expect(page).toHaveURL(/month=/);
  await expect(month).not.toHaveText(before);
  const day = page.locator('.calendar-days a').last();
  const number = await day.getAttribute('data-day');
  await day.click();
  await expect(page).toHaveURL(/date=/);
  await expect(page.locator(`.calendar-days a[data-day="${number}"]`)).toHaveAttribute('aria-current', 'date');
}

test('a visit is chosen, put into the cart, taken out and back, ordered and paid', async ({ shopper, page, office, t, mine }) => {
  const handle = mine('daytime-nanny', 'elder-companion', 'deep-home-cleaning', '-', 'daily-home-cleaning', '-');
  const [length] = (await office.product(handle, shopper.language)).options;
  await shopper.open(`/p/${handle}`);
  const title = await page.getByRole('heading', { level: 1 }).innerText();
  await expect(page.getByText(t('booking_visit.at_home_in', { area: '广东省 深圳市' }))).toBeVisible();
  await expect(page.getByRole('button', { name: t('catalog.add_to_cart') }), 'nothing is bought like goods').toHaveCount(0);

  await test.step('another length, an add-on, somebody', async () => {
    const price = page.locator('.buy-price');
    const before = await price.innerText();
    await page.getByRole('region', { name: length.name }).getByRole('link').last().click();
    await expect(price).not.toHaveText(before);
    const longer = await price.innerText();
    await page.getByRole('link', { name: new RegExp(t('booking_visit.take_along')) }).first().click();
    await expect(page).toHaveURL(/add=0/);
    await expect(price).not.toHaveText(longer);
    const worker = page.getByRole('region', { name: t('booking_visit.who') }).getByRole('link').nth(1);
    await worker.click();
    await expect(page).toHaveURL(/person=/);
    await expect(worker).toHaveAttribute('aria-current', 'true');
  });

  await test.step('a day and an hour', async () => {
    await lastFreeDay(shopper);
    await slots(shopper).first().click();
    await added(shopper);
  });

  const line = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: title }) });
  await test.step('it is in the cart with its time, and comes back after it was taken out', async () => {
    await shopper.open('/cart');
    await expect(line).toContainText(t('booking_visit.clocks', { zone: 'UTC+8' }));
    await line.getByRole('button', { name: new RegExp(t('cart.remove')) }).click();
    await expect(line).toHaveCount(0);
    await page.getByRole('button', { name: t('common.undo') }).click();
    await expect(line).toBeVisible();
  });

  await test.step('it is ordered like anything else', async () => {
    const number = await shopper.placeOrder();
    await shopper.pay('success');
    await expect(page).toHaveURL(new RegExp(`/orders/${number}$`));
    await expect(page.getByRole('listitem').filter({ hasText: title }).first()).toContainText(t('booking_visit.clocks', { zone: 'UTC+8' }));
  });
});

test('what is booked at the studio needs no address', async ({ shopper, page, t }) => {
  await shopper.open('/p/studio-haircut');
  await expect(page.getByText(/海德三道 88 号/).first()).toBeVisible();
  await lastFreeDay(shopper);
  // Both tests of this shop may want the same hour: anyone of two does it, and each has an hour of their own.
  await (shopper.js ? slots(shopper).first() : slots(shopper).last()).click();
  await added(shopper);
  await shopper.open('/checkout');
  await expect(page.getByText(t('booking_visit.no_address'))).toBeVisible();
  await expect(shopper.select('province')).toHaveCount(0);
  await shopper.field('recipient').fill(shopper.who.recipient);
  await shopper.field('phone').fill(shopper.who.phone);
  await shopper.next();
  await expect(shopper.heading(t('checkout.review_title'))).toBeAttached();
  await shopper.submit();
});

test('whoever is not quick enough is offered what is near', async ({ shopper, another, page, t, guard, mine }) => {
  guard.allow(/status of 409/);
  const handle = mine('sofa-and-mattress-care', 'air-conditioner-care', 'air-conditioner-care', '-', 'sofa-and-mattress-care', '-');
  await shopper.open(`/p/${handle}`);
  await page.getByRole('region', { name: t('booking_visit.who') }).getByRole('link').nth(1).click();
  await expect(page).toHaveURL(/person=/);
  await lastFreeDay(shopper);
  const wanted = ends(shopper, mine);
  const wish = (await wanted.getAttribute('value')) ?? '';
  const variant = await page.locator('input[name=variant_id]').first().inputValue();

  const other = await another();
  await other.post('booking/add', { variant_id: variant, wish });
  await other.placeOrder();

  await wanted.click();
  const notice = page.getByRole('alert').filter({ hasText: t('booking_visit.gone') });
  await expect(notice).toBeVisible();
  await notice.locator('button[name=wish]').first().click();
  await added(shopper);
});

test('the cart offers what is near to a time that somebody else has by now', async ({ shopper, another, page, t, mine }) => {
  const handle = mine('tuina-massage', 'home-manicure', 'home-manicure', '-', 'tuina-massage', '-');
  await shopper.open(`/p/${handle}`);
  await page.getByRole('region', { name: t('booking_visit.who') }).getByRole('link').nth(1).click();
  await expect(page).toHaveURL(/person=/);
  await lastFreeDay(shopper);
  const wanted = ends(shopper, mine);
  const wish = (await wanted.getAttribute('value')) ?? '';
  const variant = await page.locator('input[name=variant_id]').first().inputValue();
  await wanted.click();
  await added(shopper);

  const other = await another();
  await other.post('booking/add', { variant_id: variant, wish });
  await other.placeOrder();

  await shopper.open('/cart');
  await expect(page.getByText(t('booking_visit.line_gone_near'))).toBeVisible();
  await page.locator('button[name=wish]').first().click();
  await expect(page.getByText(t('booking_visit.line_gone_near'))).toHaveCount(0);
  await shopper.open('/checkout');
  await shopper.fillCheckout();
  await shopper.next();
  await expect(page.getByRole('button', { name: oneOf(t('checkout.submit')) }).first()).toBeVisible();
});

test('what is chosen quickly is all kept, and no time of what was chosen before can be tapped', async ({ shopper, page, t }) => {
  test.skip(!shopper.js, 'without script, each choice is a page');
  await shopper.open('/p/deep-home-cleaning');
  const times = slots(shopper);
  await expect(times.first()).toBeVisible();
  let answer = (): void => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/api/booking/visit?*', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole('region', { name: t('booking_visit.who') }).getByRole('link').nth(1).click();
  await expect(page).toHaveURL(/person=/);
  await page.getByRole('link', { name: new RegExp(t('booking_visit.take_along')) }).first().click();
  await expect(page).toHaveURL(/add=0/);
  await page.getByRole('link', { name: t('booking_visit.month_after') }).click();
  await expect(page).toHaveURL(/month=/);
  await expect(page).toHaveURL(/person=/);
  await expect(page).toHaveURL(/add=0/);
  const stale = page.locator('[inert] button[name=wish]');
  await expect(stale, 'times that answer what was chosen before').toHaveCount(await times.count());
  answer();
  await expect(stale).toHaveCount(0);
  await expect(times.first()).toBeVisible();
  await expect(page.getByRole('region', { name: t('booking_visit.who') }).getByRole('link').nth(1)).toHaveAttribute('aria-current', 'true');
});

test('the month is gone through with arrow keys, and every day is as large as a finger', async ({ shopper, page }) => {
  test.skip(!shopper.js, 'keys are for the script');
  await shopper.open('/p/plumbing-and-electrics');
  const days = page.locator('.calendar-days a');
  await expect(days.first()).toBeVisible();
  for (const day of await days.all()) {
    const box = await day.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0), 'the day').toBeGreaterThanOrEqual(44);
  }
  for (const slot of await slots(shopper).all()) {
    expect((await slot.boundingBox())?.height, 'the slot').toBeGreaterThanOrEqual(44);
  }
  test.skip((await days.count()) < 2, 'the last day of a month');
  await days.first().focus();
  await page.keyboard.press('ArrowRight');
  await expect(days.nth(1)).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(days.first()).toBeFocused();
});

test.describe('elsewhere', () => {
  test.use({ timezoneId: 'Europe/Berlin' });

  test('the own clock stands beside that of the venue', async ({ shopper, page, t }) => {
    test.skip(!shopper.js, 'the server does not know where somebody is');
    await shopper.open('/p/daily-home-cleaning');
    const own = new RegExp(t('booking_visit.your_time', { time: '\\d\\d:\\d\\d' }));
    await expect(slots(shopper).first()).toContainText(own);
  });
});
