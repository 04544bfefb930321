// What comes after a booking: the calendar file, the code for the door, moving it, giving it up, and the waiting list.

import { enter, fresh } from '../account/sign_in.ts';
import { type Office, type Shopper, type Variant, expect, money, test } from '../support.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Slot {
  start: number;
  end: number;
}

interface Booked {
  number: string;
  service: Variant;
  slot: Slot;
}

/** Date and time by the clocks of the venues of the demo shop. */
function local(ms: number): { date: string; time: string } {
  const [date, time] = new Date(ms + 8 * HOUR).toISOString().split('T');
  return { date, time: time.slice(0, 5) };
}

/** The free slots of a service that begin so long from now on, by anyone or by a person. */
async function free(shopper: Shopper, service: Variant, from: number, until: number, person = ''): Promise<Slot[]> {
  const now = Date.now();
  const params = { variant_id: service.id, date: local(now + from).date, days: '3', person };
  const list = (await (await shopper.page.request.get('/api/booking/slots', { params })).json()) as { days: { slots: Slot[] }[] };
  const slots = list.days.flatMap((day) => day.slots);
  return slots.filter((slot) => slot.start > now + from && slot.start < now + until);
}

/** A slot that no other test is likely to take. */
function any<T>(list: T[]): T {
  expect(list.length, 'something is free').toBeGreaterThan(0);
  return list[Math.floor(Math.random() * list.length)];
}

/** A paid order of a service and of something that is sent. */
async function book(shopper: Shopper, office: Office, handle: string, from: number, until: number): Promise<Booked> {
  const service = (await office.product(handle)).variants[0];
  const { variant } = await office.stocked('brass-oval-mirror');
  for (let tries = 1; ; tries += 1) {
    const slot = any(await free(shopper, service, from, until));
    await shopper.post('booking/add', { variant_id: service.id, wish: JSON.stringify({ kind: 'visit', start: slot.start }) });
    try {
      return { number: await shopper.paidOrder(variant), service, slot };
    } catch (error) {
      // Another test took it between the look and the order. Nothing was ordered, and the cart still has it.
      const line = /"SlotTaken":\[\{"line":"([\w-]+)"/.exec(String(error))?.[1];
      if (!line || tries === 5) throw error;
      await shopper.post('booking/remove', { id: line });
      await shopper.post('cart/set_quantity', { variant_id: variant.id, quantity: 0 });
    }
  }
}

test('a booking goes into a calendar, and its order is shown at the door', async ({ shopper, page, office, t }) => {
  const { number, slot } = await book(shopper, office, 'tuina-massage', 8 * DAY, 11 * DAY);
  await shopper.open(`/orders/${number}`);
  const link = page.getByRole('link', { name: t('booking_after.calendar') });
  await expect(link).toHaveAttribute('href', `/orders/${number}/1.ics`);
  const file = await page.request.get(`/orders/${number}/1.ics`);
  expect(file.headers()['content-type']).toContain('text/calendar');
  const { date, time } = local(slot.start);
  const start = `DTSTART;TZID=Asia/Shanghai:${date.replaceAll('-', '')}T${time.replace(':', '')}00\r\n`;
  expect(await file.text()).toContain(start);
  await page.getByText(t('booking_after.code'), { exact: true }).click();
  await expect(page.getByRole('img', { name: t('booking_after.code_label', { number: '' }).trim().split(' ')[0] })).toBeVisible();
});

test('a booking is given up for nothing in time, and its goods stay', async ({ shopper, page, office, t }) => {
  const { number, service } = await book(shopper, office, 'tuina-massage', 8 * DAY, 11 * DAY);
  await shopper.open(`/orders/${number}`);
  const asked = page.getByRole('region', { name: t('booking_after.cancel_title') });

  await test.step('not without asking', async () => {
    await page.getByRole('link', { name: t('booking_after.cancel'), exact: true }).click();
    await expect(asked).toContainText(t('booking_after.cancel_free', { refund: money(service.price) }));
    await asked.getByRole('link', { name: t('booking_after.keep') }).click();
    await expect(asked).toBeHidden();
  });

  await page.getByRole('link', { name: t('booking_after.cancel'), exact: true }).click();
  await asked.getByRole('button', { name: t('booking_after.cancel_do') }).click();
  await expect(page.getByText(t('booking_after.state_cancelled'), { exact: true }).first()).toBeVisible();
  await expect(asked).toBeHidden();
  await expect(shopper.heading(t('order.to_ship_title'))).toBeVisible();
  await shopper.sees(page.getByText(t('order.refunded_text', { amount: money(service.price) })).first());
});

test('shortly before, what is kept and what comes back is shown first', async ({ shopper, page, office, t }) => {
  const { number, service } = await book(shopper, office, 'daily-home-cleaning', 5 * HOUR, 23 * HOUR);
  const choices = await page.request.get('/api/booking/choices', { params: { number, position: 1 } });
  const { settlement } = (await choices.json()) as { settlement: { fee: number; refund: number } };
  expect(settlement.fee + settlement.refund).toBe(service.price);
  expect(settlement.fee).toBeGreaterThan(0);
  await shopper.open(`/orders/${number}?give-up=1`);
  const asked = page.getByRole('region', { name: t('booking_after.cancel_title') });
  await expect(asked).toContainText(money(settlement.fee));
  await expect(asked).toContainText(money(settlement.refund));
  await expect(page.getByRole('link', { name: t('booking_after.move'), exact: true })).toHaveCount(0);
  await asked.getByRole('button', { name: t('booking_after.cancel_do') }).click();
  await expect(page.getByText(t('booking_after.state_cancelled'), { exact: true }).first()).toBeVisible();
});

test('a booking is moved, and what cannot be had is said beside the form', async ({ shopper, page, office, t, guard }) => {
  guard.allow(/status of 4(09|22)/);
  const { number, service } = await book(shopper, office, 'home-manicure', 8 * DAY, 11 * DAY);
  const to = local(any(await free(shopper, service, 12 * DAY, 15 * DAY)).start);
  await shopper.open(`/orders/${number}`);
  await page.getByRole('link', { name: t('booking_after.move'), exact: true }).click();
  const date = page.getByLabel(t('booking_after.move_date'));
  const time = page.getByLabel(t('booking_after.move_time'));
  const send = page.getByRole('button', { name: t('booking_after.move_do') });

  await test.step('nobody works at three', async () => {
    await date.fill(to.date);
    await time.fill('03:00');
    await send.click();
    await expect(page.getByRole('alert').first()).toBeVisible();
    await expect(date).toHaveValue(to.date);
    await expect(time).toHaveValue('03:00');
  });

  await page.getByRole('button', { name: t('booking_after.move_free'), exact: true }).click();
  await expect(page.getByText(t('booking_after.move_free_on', { date: to.date }))).toBeVisible();
  await page.getByRole('button', { name: to.time, exact: true }).click();
  await expect(send).toBeHidden();
  await expect(page.getByRole('main')).toContainText(to.time);
  expect(await (await page.request.get(`/orders/${number}/1.ics`)).text()).toContain('SEQUENCE:1\r\n');
});

test('a trip whose fare is changed for nothing goes on another departure', async ({ shopper, page, office, t, mine }) => {
  const flexible = (await office.product('shenzhen-guangzhou-coach')).variants.find(({ sku }) => sku === 'BUS4003-FLX');
  if (!flexible) throw new Error('the coach has no such fare');
  const { date } = local(Date.now() + Number(mine('14', '15', '16', '-', '17', '-')) * DAY);
  const params = { date, from: '深圳福田', to: '广州天河', adults: '1' };
  const { trips } = (await (await page.request.get('/api/booking/trips', { params })).json()) as {
    trips: { voyages: { id: string; section: [number, number] }[] }[];
  };
  const [first] = trips[0].voyages;
  await shopper.post('booking/add', {
    variant_id: flexible.id,
    wish: JSON.stringify({
      kind: 'trip', departure_id: first.id, section: first.section,
      travellers: { adults: 1, children: 0, infants: 0 }, seats: ['9A'],
    }),
  });
  const { variant } = await office.stocked('brass-oval-mirror');
  const number = await shopper.paidOrder(variant);

  await shopper.open(`/orders/${number}`);
  await page.getByRole('link', { name: t('booking_after.move'), exact: true }).click();
  await page.getByRole('button', { name: t('booking_after.move_free'), exact: true }).click();
  await expect(page.getByText(t('booking_after.move_free_on', { date }))).toBeVisible();
  await expect(page.getByRole('button', { name: '07:00', exact: true }), 'where it is already').toHaveCount(0);
  await page.getByRole('button', { name: '14:00', exact: true }).click();
  await expect(page.getByRole('button', { name: t('booking_after.move_do') })).toBeHidden();
  const file = await (await page.request.get(`/orders/${number}/1.ics`)).text();
  expect(file).toContain(`DTSTART;TZID=Asia/Shanghai:${date.replaceAll('-', '')}T140000\r\n`);
  expect(file).toContain('SEQUENCE:1\r\n');
});

test('what comes free is held for who waits for it', async ({ shopper, page, request, office, another, t }) => {
  await shopper.open('/sign-in?to=/me/waiting');
  await enter(shopper, request, fresh());
  await expect(page.getByText(t('booking_after.empty_title'))).toBeVisible();

  const other = await another();
  const { number, service, slot } = await book(other, office, 'plumbing-and-electrics', 8 * DAY, 11 * DAY);
  // All who could do it are asked for until nobody is left.
  const wish = JSON.stringify({ kind: 'visit', start: slot.start });
  const rivals: Shopper[] = [];
  for (;;) {
    const rival = await another();
    const added = await rival.page.request.post('/api/booking/add', {
      form: { variant_id: service.id, wish }, headers: { origin: new URL(rival.baseURL).origin, accept: 'application/json' },
    });
    if (!added.ok()) break;
    const { variant } = await office.stocked('brass-oval-mirror');
    await rival.paidOrder(variant);
    rivals.push(rival);
    expect(rivals.length).toBeLessThan(10);
  }
  await shopper.post('booking/wait', { variant_id: service.id, wish });
  await shopper.open('/me/waiting');
  await expect(page.getByRole('button', { name: t('booking_after.take') })).toHaveCount(0);

  await other.post('booking/cancel', { number, position: 1, expected_refund: service.price });
  await shopper.open('/me/waiting');
  await page.getByRole('button', { name: t('booking_after.take') }).click();
  await expect(page).toHaveURL(/\/cart$/);
  await shopper.open('/me/waiting');
  await page.getByRole('button', { name: new RegExp(t('booking_after.stop')) }).click();
  await expect(page.getByText(t('booking_after.empty_title'))).toBeVisible();
});
