// Moving a booking to where that costs something: what it costs is shown first, then it is held while it is paid.

import type { Locator } from '@playwright/test';
import { type Office, type Shopper, expect, money, test } from '../support.ts';

const DAY = 86_400_000;
/** What moving a standard ticket of the coach costs. */
const FEE = 500;

interface Trip {
  number: string;
  date: string;
}

/** A paid order of a seat on the first coach of a day, and of something that is sent. */
async function ticket(shopper: Shopper, office: Office, days: number, seat: string): Promise<Trip> {
  const standard = (await office.product('shenzhen-guangzhou-coach')).variants.find(({ sku }) => sku === 'BUS4003-STD');
  if (!standard) throw new Error('the coach has no such fare');
  const date = new Date(Date.now() + days * DAY).toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' });
  const params = { date, from: '深圳福田', to: '广州天河', adults: '1' };
  const { trips } = (await (await shopper.page.request.get('/api/booking/trips', { params })).json()) as {
    trips: { voyages: { id: string; section: [number, number] }[] }[];
  };
  const [first] = trips[0].voyages;
  await shopper.post('booking/add', {
    variant_id: standard.id,
    wish: JSON.stringify({
      kind: 'trip', departure_id: first.id, section: first.section,
      travellers: { adults: 1, children: 0, infants: 0 }, seats: [seat],
    }),
  });
  const { variant } = await office.stocked('brass-oval-mirror');
  return { number: await shopper.paidOrder(variant), date };
}

/** Asks to move it to another hour of its day, and sees what that costs. */
async function ask(shopper: Shopper, { number, date }: Trip, time: string): Promise<Locator> {
  const { page, t } = shopper;
  await shopper.open(`/orders/${number}`);
  await page.getByRole('link', { name: t('booking_after.move'), exact: true }).click();
  await page.getByRole('button', { name: t('booking_after.move_free'), exact: true }).click();
  await expect(page.getByText(t('booking_after.move_free_on', { date }))).toBeVisible();
  await page.getByRole('button', { name: time, exact: true }).click();
  const due = page.getByRole('region', { name: t('booking_after.due_title') });
  await expect(due).toContainText(time);
  await expect(due).toContainText(t('booking_after.due_fee'));
  await expect(due).toContainText(money(FEE));
  // Whoever does not see it come is where it is.
  if (shopper.js) await expect(due).toBeFocused();
  return due;
}

/** From what it costs to the cashier. */
async function confirm({ page, t }: Shopper, due: Locator): Promise<void> {
  await due.getByRole('button', { name: t('booking_after.due_do', { amount: money(FEE) }) }).click();
  await expect(page.getByRole('heading', { name: t('payment.cashier_title') })).toBeVisible();
  await expect(page.getByText(money(FEE))).toBeVisible();
}

/** When it leaves, as its calendar file says: `20261224T070000`. */
async function leaves({ page }: Shopper, number: string): Promise<string> {
  const file = await (await page.request.get(`/orders/${number}/1.ics`)).text();
  return /DTSTART;TZID=Asia\/Shanghai:(\S+)\r\n/.exec(file)?.[1] ?? file;
}

test('a ticket is moved for the fee that was shown, once that is paid', async ({ shopper, page, office, t, mine }) => {
  const trip = await ticket(shopper, office, Number(mine('14', '15', '16', '-', '17', '-')), '10A');
  const day = trip.date.replaceAll('-', '');
  const due = await ask(shopper, trip, '14:00');

  await test.step('looking at it changes nothing', async () => {
    await due.getByRole('link', { name: t('booking_after.keep') }).click();
    await expect(due).toBeHidden();
    expect(await leaves(shopper, trip.number)).toBe(`${day}T070000`);
  });

  await confirm(shopper, await ask(shopper, trip, '14:00'));
  await page.getByRole('button', { name: t('payment.cashier_success'), exact: true }).click();
  await expect(page).toHaveURL(/\/orders\/\d{16}$/);
  await shopper.sees(page.getByText(t('order.added', { amount: money(FEE) }), { exact: true }));
  expect(await leaves(shopper, trip.number)).toBe(`${day}T140000`);
  await expect(page.getByRole('region', { name: t('booking_after.held_title') })).toHaveCount(0);
});

test('a move that waits for its payment is gone on with, or given up', async ({ shopper, page, office, t, mine }) => {
  const trip = await ticket(shopper, office, Number(mine('14', '15', '16', '-', '17', '-')), '10C');
  const day = trip.date.replaceAll('-', '');
  await confirm(shopper, await ask(shopper, trip, '18:30'));

  await shopper.open(`/orders/${trip.number}`);
  const held = page.getByRole('region', { name: t('booking_after.held_title') });
  await expect(held).toContainText('18:30');
  await expect(held.getByRole('timer')).toContainText(/1[0-9]:\d\d/);
  expect(await leaves(shopper, trip.number)).toBe(`${day}T070000`);
  await held.getByRole('button', { name: t('booking_after.held_pay', { amount: money(FEE) }) }).click();
  await expect(page.getByRole('heading', { name: t('payment.cashier_title') })).toBeVisible();

  await shopper.open(`/orders/${trip.number}`);
  await held.getByRole('button', { name: t('booking_after.held_give_up') }).click();
  await expect(held).toBeHidden();
  expect(await leaves(shopper, trip.number)).toBe(`${day}T070000`);
  await expect(page.getByRole('link', { name: t('booking_after.move'), exact: true })).toBeVisible();
});
