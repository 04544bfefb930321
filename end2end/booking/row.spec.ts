// Several services in one visit: the times at which all of them can be done in a row, and one booking from then on.

import { type Shopper, escape, expect, money, test } from '../support.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Slot {
  start: number;
  end: number;
}

/** Date and time by the clocks of the venues of the demo shop, as calendar files write them. */
function stamp(ms: number): string {
  return new Date(ms + 8 * HOUR).toISOString().replace(/[-:]|\.\d+Z/g, '');
}

function dateOf(ms: number): string {
  return new Date(ms + 8 * HOUR).toISOString().slice(0, 10);
}

/** The free times of a day for a service with another one after it. */
async function free({ page }: Shopper, first: string, further: string, date: string): Promise<Slot[]> {
  const params = { variant_id: first, date, days: '1', 'further[0]': further };
  const answer = await page.request.get('/api/booking/slots', { params });
  expect(answer.ok(), await answer.text()).toBe(true);
  const list = (await answer.json()) as { days: { slots: Slot[] }[] };
  return list.days.flatMap((day) => day.slots);
}

test('a massage and a manicure are one visit, paid once, in the calendar once and given up as one', async ({ shopper, page, office, t, mine }) => {
  const date = dateOf(Date.now() + Number(mine('17', '18', '19', '-', '21', '-')) * DAY);
  const massage = await office.product('tuina-massage', shopper.language);
  const manicure = await office.product('home-manicure', shopper.language);
  const [first, second] = [massage.variants[0], manicure.variants[0]];
  await shopper.open(`/p/tuina-massage?v=${first.id}&date=${date}`);

  await test.step('the other service is added, and left out again', async () => {
    const others = page.locator('.further');
    await others.getByText(t('booking_visit.further'), { exact: true }).click();
    const other = others.getByRole('link', { name: new RegExp(escape(manicure.title)) }).first();
    expect((await other.boundingBox())?.height, 'as large as a finger').toBeGreaterThanOrEqual(44);
    await other.click();
    await expect(page).toHaveURL(new RegExp(`further=${second.id}`));
    await expect(page.locator('.buy-price')).toContainText(money(first.price + second.price));
    await other.click();
    await expect(page).not.toHaveURL(/further=/);
    await expect(page.locator('.buy-price')).toContainText(money(first.price));
  });

  await shopper.open(`/p/tuina-massage?v=${first.id}&date=${date}&further=${second.id}`);
  const slots = await free(shopper, first.id, second.id, date);
  const slot = slots[Math.floor(slots.length / 2)];
  const times = page.getByRole('region', { name: new RegExp(t('booking_visit.times_of', { date: '.+' })) });
  await expect(times.locator('button[name=wish]'), 'what is shown is what is free').toHaveCount(slots.length);

  await test.step('one tap puts all of it into the cart', async () => {
    await times.locator(`button[name=wish][value*='"start":${slot.start}']`).click();
    if (shopper.js) await expect(page.getByText(t('booking_visit.added'))).toBeVisible();
    else await expect(page).toHaveURL(/\/cart$/);
    await shopper.open('/cart');
    const line = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: new RegExp(escape(massage.title)) }) });
    await expect(line).toHaveCount(1);
    await expect(line).toContainText(manicure.title);
    await expect(line).toContainText(money(first.price + second.price));
  });

  const number = await shopper.placeOrder();
  await shopper.pay('success');
  await test.step('it is one line of the order, and one entry of a calendar', async () => {
    await shopper.open(`/orders/${number}`);
    await expect(page.getByRole('listitem').filter({ hasText: massage.title }).filter({ hasText: manicure.title }).first()).toBeVisible();
    const file = await (await page.request.get(`/orders/${number}/0.ics`)).text();
    expect(file).toContain(`DTSTART;TZID=Asia/Shanghai:${stamp(slot.start)}`);
    expect(file).toContain(`DTEND;TZID=Asia/Shanghai:${stamp(slot.end)}`);
    const left = await free(shopper, first.id, second.id, date);
    expect(left.length, 'those who come have less time').toBeLessThanOrEqual(slots.length);
  });

  await test.step('it is given up as one, and all who would have come are free', async () => {
    await page.getByRole('link', { name: t('booking_after.cancel'), exact: true }).click();
    const asked = page.getByRole('region', { name: t('booking_after.cancel_title') });
    await expect(asked).toContainText(money(first.price + second.price));
    await asked.getByRole('button', { name: t('booking_after.cancel_do') }).click();
    await expect(page.getByText(t('booking_after.state_cancelled'), { exact: true }).first()).toBeVisible();
    const again = await free(shopper, first.id, second.id, date);
    expect(again.map((one) => one.start)).toEqual(slots.map((one) => one.start));
  });
});
