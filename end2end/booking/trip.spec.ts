// Trips: every choice is in the address, one after the other, so that all of it works without script.

import { type Shopper, expect, test } from '../support.ts';

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' });
}

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

test('a coach there and back with chosen seats is found, ordered and paid, and its travellers are named', async ({ shopper, page, t, guard, mine }) => {
  guard.allow(/status of 422/);
  const days = Number(mine('5', '6', '10', '-', '11', '-'));
  await page.goto('/trips');
  await expect(page.getByText(t('booking_trip.ask_title'))).toBeVisible();
  await page.getByLabel(t('booking_trip.from'), { exact: true }).selectOption({ label: '深圳福田' });
  await page.getByLabel(t('booking_trip.to'), { exact: true }).selectOption({ label: '广州天河' });
  await page.getByLabel(t('booking_trip.date'), { exact: true }).fill(inDays(days));
  await page.getByLabel(t('booking_trip.back'), { exact: true }).fill(inDays(days));
  await page.getByLabel(t('booking_trip.adults'), { exact: true }).selectOption('2');
  await page.getByRole('button', { name: t('booking_trip.search'), exact: true }).last().click();
  await expect(page.getByText(t('booking_trip.found', { n: 1 }))).toBeVisible();
  await page.getByRole('link', { name: '深圳 — 广州 城际大巴' }).click();

  await expect(page).toHaveURL(/\/p\/shenzhen-guangzhou-coach\?/);
  const box = page.getByRole('region', { name: t('booking_trip.title') });
  await expect(box.locator('.voyage')).toHaveCount(4);
  await expect(box.locator('.voyage').first()).toContainText('07:00');
  await expect(box.locator('.voyage').first()).toContainText(t('booking_trip.via', { places: '东莞南城' }));
  await box.locator('.voyage').first().getByRole('link').first().click();
  await expect(page).toHaveURL(/there=/);
  await expect(box.getByText(t('booking_trip.chosen'), { exact: true })).toHaveCount(1);
  // Nothing that leaves before they arrive is offered for the way back.
  await expect(box.locator('.voyage').filter({ hasText: '07:20' })).toHaveCount(0);
  await box.locator('.voyage').last().getByRole('link').first().click();
  await expect(page).toHaveURL(/home=/);

  await test.step('as many seats as there are travellers', async () => {
    const there = page.getByRole('group', { name: t('booking_trip.seats_there') });
    const home = page.getByRole('group', { name: t('booking_trip.seats_home') });
    const seat = (name: string) => t('booking_trip.seat', { name });
    await there.getByLabel(seat('3A'), { exact: true }).check();
    await page.getByRole('button', { name: t('booking_trip.add') }).click();
    await expect(page.getByText(t('booking_trip.seats_wrong'))).toBeVisible();
    for (const name of ['3A', '3B']) {
      await there.getByLabel(seat(name), { exact: true }).check();
      await home.getByLabel(seat(name), { exact: true }).check();
    }
    await page.getByRole('button', { name: t('booking_trip.add') }).click();
    await added(shopper);
  });

  await page.goto('/cart');
  await expect(page.getByText(/座位 3A, 3B/)).toHaveCount(2);
  await order(shopper);
  const number = await shopper.placed();
  await shopper.pay('success');

  await test.step('who travels is written and kept', async () => {
    const who = page.getByRole('region', { name: t('booking_trip.travellers_title') });
    await who.getByRole('link', { name: '深圳 — 广州 城际大巴' }).first().click();
    await expect(shopper.heading(t('booking_trip.travellers_title'))).toBeVisible();
    const first = page.getByRole('group', { name: t('booking_trip.traveller', { n: 1 }) });
    await first.getByRole('textbox', { name: t('booking_trip.name') }).fill('王小明');
    await first.getByRole('textbox', { name: new RegExp(t('booking_trip.document')) }).fill('G12345678');
    await page.getByRole('button', { name: t('booking_trip.save') }).click();
    await expect(page).toHaveURL(new RegExp(`/orders/${number}$`));
    await page.goto(`/orders/${number}/travellers/0`);
    await expect(first.getByRole('textbox', { name: t('booking_trip.name') })).toHaveValue('王小明');
  });
});

test('a seat that somebody else took cannot be chosen, and times are those of both ends', async ({ shopper, another, page, t, mine }) => {
  const date = inDays(Number(mine('8', '9', '12', '-', '13', '-')));
  await page.goto(`/p/shenzhen-guangzhou-coach?date=${date}&adults=1`);
  const box = page.getByRole('region', { name: t('booking_trip.title') });
  await box.locator('.voyage').nth(1).getByRole('link').first().click();
  await expect(page).toHaveURL(/there=/);
  const seat = page.getByLabel(t('booking_trip.seat', { name: '5C' }), { exact: true });
  await expect(seat).toBeEnabled();

  const other = await another();
  await other.page.goto(page.url());
  await other.page.getByLabel(t('booking_trip.seat', { name: '5C' }), { exact: true }).check();
  await other.page.getByRole('button', { name: t('booking_trip.add') }).click();
  await added(other);
  await order(other);

  await page.reload();
  await expect(page.getByLabel(t('booking_trip.seat_taken', { name: '5C' }), { exact: true })).toBeDisabled();
  await page.getByLabel(t('booking_trip.seat', { name: '5D' }), { exact: true }).check();
  await page.getByRole('button', { name: t('booking_trip.add') }).click();
  await added(shopper);

  await test.step('a flight over seven hours of clocks', async () => {
    // Both ends are said: else they are those of the next departure, which may be the way back by now.
    await page.goto(`/p/shanghai-berlin-flight?${new URLSearchParams({ from: '上海浦东', to: '柏林' })}`);
    await page.getByRole('link', { name: new RegExp(t('booking_trip.next_day', { date: '' }).trim()) }).or(box.locator('.voyage').first()).first().waitFor();
    const next = page.getByRole('link', { name: new RegExp(t('booking_trip.next_day', { date: '' }).trim()) });
    if (await next.count()) await next.click();
    const flight = box.locator('.voyage').first();
    await expect(flight).toContainText('23:40');
    await expect(flight).toContainText('UTC+08:00');
    await expect(flight).toContainText(/UTC\+0[12]:00/);
    await expect(flight.locator('sup')).toHaveText('+1');
  });
});
