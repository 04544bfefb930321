// What Xiadan is for: goods, a room and somebody's time in one cart, one order under one clock, one payment. With and without
// script.

import { type Product, type Shopper, type Variant, escape, expect, money, test } from '../support.ts';
import { freeStay, get } from './nights.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Line {
  title: string;
  quantity: number;
  booking: { start: number; kind: string } | null;
}

interface Ordered {
  state: string;
  lines: Line[];
  expires_at: number | null;
  placed_at: number;
  refunds: unknown[];
  totals: { total: number };
}

/** What is booked beside goods. */
interface Wanted {
  goods: Variant;
  house: Product;
  stay: [arrival: string, departure: string];
  service: Product;
  person: string;
  start: number;
}

/** A date by the clocks of the venues of the demo shop. */
function dateOf(ms: number): string {
  return new Date(ms + 8 * HOUR).toISOString().slice(0, 10);
}

function timeOf(ms: number): string {
  return new Date(ms + 8 * HOUR).toISOString().slice(11, 16);
}

/** A cleaner who is free on a day, and when. */
async function cleaner(shopper: Shopper, service: Product, date: string): Promise<{ person: string; start: number }> {
  const choice = await get<{ workers: { id: string }[]; slots: { start: number; people: number[] }[] }>(
    shopper, 'booking/visit', { variant_id: service.variants[0].id, date },
  );
  const slot = choice.slots.find(({ start }) => dateOf(start) === date);
  if (!slot) throw new Error(`nobody cleans on ${date}`);
  return { person: choice.workers[slot.people[0]].id, start: slot.start };
}

/** What the first variant of a product is called among other lines. */
function titled({ title, options }: Product): string {
  return `${title} · ${options[0].values[0]}`;
}

function visit({ person, start }: Wanted): string {
  return JSON.stringify({ kind: 'visit', start, person });
}

async function ordered(shopper: Shopper, number: string): Promise<Ordered> {
  return get<Ordered>(shopper, 'order/get', { number });
}

/** All three, in the order in which they stand in an order. */
async function expectAll(shopper: Shopper, number: string, wanted: Wanted, start: number): Promise<Ordered> {
  const order = await ordered(shopper, number);
  expect(order.lines.map(({ quantity, booking }) => [quantity, booking?.kind ?? 'goods'])).toEqual([
    [2, 'goods'], [1, 'stay'], [1, 'visit'],
  ]);
  expect(order.lines.map(({ title }) => title).slice(1)).toEqual([titled(wanted.house), titled(wanted.service)]);
  expect(order.lines[2].booking?.start).toBe(start);
  return order;
}

test('two pots, three nights and a cleaner are one order with one clock and one payment', async ({ shopper, page, office, t, mine }) => {
  const { product: pots, variant: goods } = await office.stocked('celadon-teapot');
  const house = await office.product('jujube-courtyard-beijing', shopper.language);
  const service = await office.product('daily-home-cleaning', shopper.language);
  const stay = await freeStay(shopper, house, 3, Number(mine('40', '40', '75', '-', '75', '-')));
  // A day for each project, as late as can be booked and before which nobody else is sent.
  const date = dateOf(Date.now() + Number(mine('26', '27', '28', '-', '29', '-')) * DAY);
  const wanted: Wanted = { goods, house, stay, service, ...(await cleaner(shopper, service, date)) };

  await test.step('goods', () => shopper.addToCart('celadon-teapot', 2));
  await test.step('three nights', async () => {
    const [arrival, departure] = stay;
    await shopper.open(`/p/${house.handle}?arrival=${arrival}&departure=${departure}&adults=2`);
    const name = house.options[0].values[0];
    const room = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) });
    const book = new RegExp(`^${escape(t('booking_stay.book'))}\\s+${escape(`${name}, ${t('booking_stay.without_breakfast')}`)}$`);
    await room.getByRole('button', { name: book }).click();
    if (shopper.js) await expect(page.getByText(t('booking_stay.added'))).toBeVisible();
    else await expect(page).toHaveURL(/\/cart$/);
  });
  await test.step('a cleaner', async () => {
    await shopper.open(`/p/${service.handle}?v=${service.variants[0].id}&date=${date}&person=${wanted.person}`);
    await page.locator(`button[name=wish][value*='"start":${wanted.start}']`).first().click();
    if (shopper.js) await expect(page.getByText(t('booking_visit.added'))).toBeVisible();
    else await expect(page).toHaveURL(/\/cart$/);
  });

  const number = await test.step('one order, and one clock for all of it', async () => {
    await shopper.open('/cart');
    for (const title of [pots.title, house.title, service.title]) {
      await expect(shopper.main.getByRole('link', { name: title }).first()).toBeVisible();
    }
    const number = await shopper.placeOrder();
    const order = await expectAll(shopper, number, wanted, wanted.start);
    expect(order.state).toBe('to_pay');
    expect(order.expires_at, 'what nobody pays for is freed together').toBeGreaterThan(order.placed_at);
    expect(order.totals.total).toBeGreaterThan(2 * goods.price);
    await expect(shopper.main).toContainText(money(order.totals.total));
    return number;
  });

  await test.step('one payment, and everything is on the page of the order', async () => {
    await shopper.pay('success');
    await expect(page).toHaveURL(new RegExp(`/orders/${number}$`));
    const order = await expectAll(shopper, number, wanted, wanted.start);
    expect([order.state, order.refunds.length]).toEqual(['to_ship', 0]);
    for (const title of [pots.title, house.title, service.title]) {
      await expect(page.getByRole('listitem').filter({ hasText: title }).first()).toBeVisible();
    }
    const day = new Intl.DateTimeFormat(shopper.language, { month: 'short', day: 'numeric', timeZone: 'UTC' });
    await expect(shopper.main).toContainText(day.format(Date.parse(stay[0])));
    await expect(shopper.main).toContainText(timeOf(wanted.start));
    expect(await shopper.orders()).toBe(1);
  });
});

test('one of the three goes while somebody reads: the nearest is one tap, and nothing else is lost', async ({
  shopper, another, page, office, t, guard, mine,
}) => {
  guard.allow(/status of 409/);
  const { variant: goods } = await office.stocked('celadon-teapot');
  const house = await office.product('qinyu-seaview-xiamen', shopper.language);
  const service = await office.product('daily-home-cleaning', shopper.language);
  const stay = await freeStay(shopper, house, 3, Number(mine('40', '40', '75', '-', '75', '-')));
  const date = dateOf(Date.now() + Number(mine('22', '23', '24', '-', '25', '-')) * DAY);
  const wanted: Wanted = { goods, house, stay, service, ...(await cleaner(shopper, service, date)) };

  await shopper.put(goods, 2);
  await shopper.post('booking/add', {
    variant_id: house.variants[0].id,
    wish: JSON.stringify({ kind: 'stay', stay, guests: { adults: 2, children: 0 }, rooms: 1, breakfast: false }),
  });
  await shopper.post('booking/add', { variant_id: service.variants[0].id, wish: visit(wanted) });
  await shopper.keepAddress();
  await page.goto('/checkout/review');
  await expect(shopper.heading(t('checkout.review_title'))).toBeAttached();

  const other = await another();
  await other.post('booking/add', { variant_id: service.variants[0].id, wish: visit(wanted) });
  await other.placeOrder();

  await page.getByRole('button', { name: t('checkout.submit') }).click();
  const taken = page.getByRole('alert').filter({ hasText: t('error.slot_taken', { title: titled(service) }) });
  await expect(taken).toContainText(t('booking_visit.near'));
  expect(await shopper.orders(), 'all or nothing').toBe(0);
  await taken.locator('form button').first().click();
  await expect(taken).toHaveCount(0);
  await expect(page).toHaveURL(/\/checkout\/review/);

  const number = await shopper.submit();
  const order = await ordered(shopper, number);
  const start = order.lines[2].booking?.start ?? 0;
  expect(start, 'another time, or another person').toBeGreaterThan(0);
  await expectAll(shopper, number, wanted, start);
  await shopper.pay('success');
  expect((await ordered(shopper, number)).state).toBe('to_ship');
});
