// The office moves a customer's trip to another departure, and a stay to other nights, from the page of the order. With
// script and without.

import type { Locator, Page } from '@playwright/test';
import { freeStays } from '../booking/nights.ts';
import { LOGIN, PASSWORD, type Shopper, type Words, escape, expect, test } from '../support.ts';

const DAY = 86_400_000;

/** When the booking of an order begins now, by the clocks of the venues of the demo shop. */
async function begins(customer: Shopper, number: string): Promise<string | undefined> {
  const answer = await customer.page.request.get('/api/order/get', { params: { number } });
  const order = (await answer.json()) as { lines: { booking: { start: number } | null }[] };
  const start = order.lines.find((line) => line.booking)?.booking?.start;
  return start === undefined ? undefined : new Date(start + 8 * 3_600_000).toISOString().slice(0, 16);
}

/** The form by which the office moves the booking of an order. */
async function formOf(page: Page, number: string, t: Words): Promise<Locator> {
  await page.goto('/office/sign-in');
  await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
  await expect(page).toHaveURL(/\/office$/);
  await page.goto(`/office/orders/${number}`);
  await page.getByRole('link', { name: new RegExp(`^${escape(t('booking_office.move'))} `) }).click();
  return page.locator('section[aria-labelledby="elsewhere-title"]');
}

test('a trip is moved to another departure, and asks first', async ({ page, office, another, t, mine }) => {
  const coach = await office.product('shenzhen-guangzhou-coach');
  const date = new Date(Date.now() + Number(mine('-', '-', '18', '-', '19', '-')) * DAY + DAY / 3).toISOString().slice(0, 10);
  const customer = await another();
  const params = { date, from: '深圳福田', to: '广州天河', adults: '1' };
  const { trips } = (await (await customer.page.request.get('/api/booking/trips', { params })).json()) as {
    trips: { voyages: { id: string; section: [number, number] }[] }[];
  };
  const [first] = trips[0].voyages;
  await customer.post('booking/add', {
    variant_id: coach.variants[0].id,
    wish: JSON.stringify({
      kind: 'trip', departure_id: first.id, section: first.section,
      travellers: { adults: 1, children: 0, infants: 0 }, seats: ['9A'],
    }),
  });
  const { variant } = await office.stocked('brass-oval-mirror');
  const number = await customer.paidOrder(variant);
  expect(await begins(customer, number)).toBe(`${date}T07:00`);

  const form = await formOf(page, number, t);
  await expect(form).toContainText('07:00');
  await expect(form.getByLabel(t('booking_office.move_date'))).toHaveValue(date);
  const send = form.getByRole('button', { name: t('booking_office.move_now') });
  await expect(send, 'a date is asked about first').toHaveCount(0);
  await form.getByRole('button', { name: t('booking_office.elsewhere_show') }).click();

  const departures = form.getByLabel(t('booking_office.elsewhere_departure'));
  await expect(departures).toBeVisible();
  await expect(departures.getByRole('option', { name: '07:00' }), 'where it is already').toHaveCount(0);
  await departures.selectOption('14:00');
  expect(await begins(customer, number), 'nothing is moved yet').toBe(`${date}T07:00`);
  await send.click();
  await expect(form).toHaveCount(0);
  expect(await begins(customer, number)).toBe(`${date}T14:00`);
  await customer.open(`/orders/${number}`);
  await expect(customer.main).toContainText('14:00');
});

test('a stay is moved to other nights, and its customer sees them', async ({ page, office, another, t, mine }) => {
  const house = await office.product('wukang-26-apartments');
  const customer = await another();
  const stays = await freeStays(customer, house, 2, Number(mine('-', '-', '60', '-', '100', '-')), 8);
  const [[arrival, departure], [then]] = [stays[0], stays[stays.length - 1]];
  await customer.post('booking/add', {
    variant_id: house.variants[0].id,
    wish: JSON.stringify({ kind: 'stay', stay: [arrival, departure], guests: { adults: 2, children: 0 }, rooms: 1, breakfast: false }),
  });
  const { variant } = await office.stocked('brass-oval-mirror');
  const number = await customer.paidOrder(variant);
  expect(await begins(customer, number)).toBe(`${arrival}T16:00`);

  const form = await formOf(page, number, t);
  const date = form.getByLabel(t('booking_office.move_date'));
  await expect(date).toHaveValue(arrival);
  await date.fill(then);
  await form.getByRole('button', { name: t('booking_office.elsewhere_show') }).click();
  const send = form.getByRole('button', { name: t('booking_office.move_now') });
  await expect(send).toBeVisible();
  expect(await begins(customer, number), 'nothing is moved yet').toBe(`${arrival}T16:00`);
  await send.click();
  await expect(form).toHaveCount(0);
  expect(await begins(customer, number)).toBe(`${then}T16:00`);
  await customer.open(`/orders/${number}`);
  const [, month, day] = then.split('-').map(Number);
  await expect(customer.main).toContainText(`${month}月${day}日`);
});
