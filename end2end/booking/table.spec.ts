// Restaurants: when, with how many and where is in the address, so that it all works without script; a time is one tap.

import type { Locator } from '@playwright/test';
import { type Shopper, escape, expect, test } from '../support.ts';

/** A date so many days from today, as the shop's clock has it. */
function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' });
}

/** The free times of the date that is shown. */
function times({ page }: Shopper): Locator {
  return page.locator('#free-times form > .sittings button[name=wish]');
}

/** After a time was tapped: a message with script, the cart without. */
async function added(shopper: Shopper): Promise<void> {
  if (shopper.js) await expect(shopper.page.getByText(shopper.t('catalog.added'))).toBeVisible();
  else await expect(shopper.page).toHaveURL(/\/cart$/);
}

/** Orders what is in the cart: nothing is sent anywhere, so that no address is asked for. */
async function order(shopper: Shopper): Promise<void> {
  const { page, t } = shopper;
  await page.goto('/checkout');
  await shopper.field('recipient').fill(shopper.who.recipient);
  await shopper.field('phone').fill(shopper.who.phone);
  await shopper.next();
  await expect(shopper.heading(t('checkout.review_title'))).toBeAttached();
  await page.getByRole('button', { name: t('checkout.submit') }).click();
  await expect(page).toHaveURL(/\/(orders|pay)\/\d{16}$/);
}

test('a table is found by city, date and time, and is booked at once where it costs nothing', async ({ shopper, page, t, mine }) => {
  const days = Number(mine('3', '4', '5', '-', '6', '-'));
  await page.goto('/tables');
  await expect(shopper.heading(t('booking_table.restaurants'))).toBeVisible();
  await page.getByLabel(t('booking_table.place')).selectOption({ label: '北京市' });
  await page.getByLabel(t('booking_table.date')).fill(inDays(days));
  await page.getByLabel(t('booking_table.guests'), { exact: true }).selectOption('2');
  await page.locator('#booking-time').fill('14:00');
  await page.getByRole('button', { name: t('booking_table.search') }).click();
  await expect(page).toHaveURL(/place=11/);
  await expect(page.getByText(t('booking_table.restaurants_found', { n: 1 }))).toBeVisible();
  const house = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: '胡同面馆' }) });
  await house.getByRole('link', { name: /^1[34]:/ }).first().click();

  await expect(page).toHaveURL(/\/p\/hutong-noodles\?/);
  await expect(shopper.heading('胡同面馆')).toBeVisible();
  await expect(page.getByText(t('booking_table.no_deposit'))).toBeVisible();
  await test.step('what the party needs is on its line', async () => {
    await page.getByLabel(t('booking_table.child_seat')).check();
    await page.getByRole('button', { name: t('booking_table.show') }).click();
    await expect(page).toHaveURL(/child_seat=1/);
    await expect(page.getByLabel(t('booking_table.child_seat'))).toBeChecked();
    await times(shopper).first().click();
    await added(shopper);
    await page.goto('/cart');
    await expect(page.getByText(new RegExp(`2 位客人.*${escape(t('booking_table.child_seat'))}`)).first()).toBeVisible();
  });

  await test.step('there is nothing to pay', async () => {
    await order(shopper);
    expect(await shopper.orders()).toBe(1);
  });
});

test('two want the last table: one gets it, and the other one is shown what is nearest', async ({ shopper, another, page, t, guard, mine }) => {
  guard.allow(/status of 409/);
  // There is one private room. Later than the days on which the demo has guests.
  const date = inDays(Number(mine('20', '21', '22', '-', '23', '-')));
  const address = `/p/bamboo-lane-garden?date=${date}&guests=10&area=private&time=18%3A00`;
  await page.goto(address);
  await expect(page.getByText(/订金 ¥500\.00/)).toBeVisible();
  const wanted = times(shopper).filter({ hasText: '18:00' });
  const wish = (await wanted.getAttribute('value')) ?? '';
  const variant = await page.locator('#free-times input[name=variant_id]').inputValue();

  const both = [shopper, await another()];
  for (const one of both) {
    await one.post('booking/add', { variant_id: variant, wish });
    await one.keepAddress();
    await one.page.goto('/checkout/review');
  }
  const title = '竹里馆 · 西湖';
  const placed = both.map((one) => one.page.getByText('订单已提交'));
  const refused = both.map((one) => one.page.getByText(t('error.slot_taken', { title })).first());
  await Promise.all(both.map((one) => one.page.getByRole('button', { name: t('checkout.submit') }).click()));
  await Promise.all(both.map((_, i) => expect(placed[i].or(refused[i]).first()).toBeVisible()));
  const orders = await Promise.all(both.map((one) => one.orders()));
  expect([...orders].sort(), 'orders of the two').toEqual([0, 1]);

  await test.step('the other one sees other times and areas', async () => {
    const { page } = both[orders.indexOf(0)];
    await page.goto(address);
    const near = page.getByRole('status').filter({ hasText: t('booking_table.nearest') });
    await expect(near).toBeVisible();
    await expect(near.locator('button[name=wish]')).not.toHaveCount(0);
    await expect(page.locator('#free-times form > .sittings button').filter({ hasText: '18:00' })).toHaveCount(0);
  });
});

test('a time that goes while somebody looks is answered with the nearest', async ({ shopper, another, page, t, guard, mine }) => {
  guard.allow(/status of 409/);
  const date = inDays(Number(mine('24', '25', '26', '-', '27', '-')));
  await page.goto(`/p/bamboo-lane-garden?date=${date}&guests=12&area=private`);
  const wanted = times(shopper).filter({ hasText: '19:00' });
  const wish = (await wanted.getAttribute('value')) ?? '';
  const variant = await page.locator('#free-times input[name=variant_id]').inputValue();
  const other = await another();
  await other.post('booking/add', { variant_id: variant, wish });
  await order(other);

  await wanted.click();
  await expect(page.getByRole('alert').filter({ hasText: t('error.slot_taken', { title: '竹里馆 · 西湖' }) })).toBeVisible();
  await expect(page.locator('#free-times form > .sittings button').filter({ hasText: '19:00' })).toHaveCount(0);
  // With script the time that was tapped is known, and what is near to it comes first.
  const near = page.getByRole('status').filter({ hasText: t('booking_table.nearest') });
  const next = shopper.js ? near.locator('button[name=wish]').first() : times(shopper).first();
  await next.click();
  await added(shopper);
});

test('large parties are told to call, and days without a table lead to others', async ({ shopper, page, t }) => {
  await page.goto(`/p/hutong-noodles?date=${inDays(2)}&guests=7`);
  await expect(page.getByText(t('booking_table.large_title', { n: 6 }))).toBeVisible();
  await page.goto(`/p/hutong-noodles?date=${inDays(40)}&guests=2`);
  await expect(page.getByText(t('booking_table.none_text'))).toBeVisible();
  const box = page.getByRole('region', { name: t('booking_table.title') });
  await expect(box.locator('input[type=date]')).toHaveValue(inDays(40));
  await page.goto(`/p/hutong-noodles?date=${inDays(2)}&guests=2`);
  for (const button of await times(shopper).all()) {
    const size = await button.boundingBox();
    expect(Math.min(size?.height ?? 0, size?.width ?? 0)).toBeGreaterThanOrEqual(44);
  }
});

test.describe('elsewhere', () => {
  test.use({ timezoneId: 'Europe/Berlin' });

  test('the own clock stands beside that of the restaurant', async ({ shopper, page, t }) => {
    test.skip(!shopper.js, 'the server does not know where somebody is');
    await shopper.open(`/p/bamboo-lane-garden?date=${inDays(9)}&guests=2`);
    const own = new RegExp(t('booking_visit.your_time', { time: '\\d\\d:\\d\\d' }));
    await expect(times(shopper).first()).toContainText(own);
    // In the evening of some day: tables after midnight have another date by the own clock.
    await shopper.open(`/tables?date=${inDays(9)}&guests=2&time=19:00`);
    await expect(page.locator('.sitting').first()).toContainText(own);
  });
});
