// The office moves a customer's booking: dragged by its grip, or by a form that works without script too.

import { LOGIN, PASSWORD, type Shopper, expect, grouped, test } from '../support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Up or down by so many pixels is a step of five minutes. */
const STEP = 8;

interface Choice {
  workers: { id: string; name: string }[];
  slots: { start: number; people: number[] }[];
}

/** Date and time by the clocks of the venues of the demo shop. */
function local(ms: number): { date: string; time: string } {
  const [date, time] = new Date(ms + 8 * HOUR).toISOString().split('T');
  return { date, time: time.slice(0, 5) };
}

/** When the booking of an order begins now. */
async function begins(customer: Shopper, number: string): Promise<number | undefined> {
  const answer = await customer.page.request.get('/api/order/get', { params: { number } });
  const order = (await answer.json()) as { lines: { booking: { start: number } | null }[] };
  return order.lines.find((line) => line.booking)?.booking?.start;
}

test('a booking is moved to another time and another person, and asks first', async ({ shopper, page, office, another, t, guard, mine }) => {
  guard.allow(/status of 4(01|09|22)/);
  // Each project has a venue of its own, on a day on which nobody else has anything to do there.
  const product = await office.product(mine('-', '-', 'air-conditioner-care', '-', 'sofa-and-mattress-care', '-'));
  const service = product.variants[0];
  const { date } = local(Date.now() + 24 * DAY);
  const customer = await another();
  const answer = await customer.page.request.get('/api/booking/visit', { params: { variant_id: service.id, date } });
  const { workers, slots } = (await answer.json()) as Choice;
  const later = (ms: number, by: number, person: number) => slots.some((slot) => slot.start === ms + by && slot.people.includes(person));
  const from = slots.find((slot) => later(slot.start, 90 * MINUTE, slot.people[0]));
  if (!from) throw new Error(`${product.handle} has no two hours in a row on ${date}`);
  const who = workers[from.people[0]];
  const wish = JSON.stringify({ kind: 'visit', start: from.start, person: who.id });
  await customer.post('booking/add', { variant_id: service.id, wish });
  const { variant } = await office.stocked('brass-oval-mirror');
  const number = await customer.paidOrder(variant);
  const to = local(from.start + 90 * MINUTE);

  await page.goto('/office/bookings');
  await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
  await expect(page.getByRole('heading', { name: t('booking_office.title'), level: 1 })).toBeVisible();
  await page.goto(`/office/bookings?of=${product.id}&date=${date}`);
  const item = page.locator('.agenda-item').filter({ hasText: grouped(number) });
  const form = page.getByRole('region', { name: t('booking_office.move_title', { title: `${product.title} · ${product.options[0].values[0]}` }) });
  const send = form.getByRole('button', { name: t('booking_office.move_now') });

  if (shopper.js) {
    await test.step('dragged: Escape leaves it, dropping asks', async () => {
      const grip = item.locator('.agenda-grip');
      const drag = async () => {
        await grip.scrollIntoViewIfNeeded();
        const box = await grip.boundingBox();
        if (!box) throw new Error('there is no grip');
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        await page.mouse.move(x, y);
        await page.mouse.down();
        await page.mouse.move(x, y + 18 * STEP, { steps: 6 });
        await expect(page.locator('.agenda-ghost')).toContainText(to.time);
      };
      await drag();
      await page.keyboard.press('Escape');
      await expect(page.locator('.agenda-ghost')).toHaveCount(0);
      await page.mouse.up();
      await expect(page).not.toHaveURL(/move=/);
      await drag();
      await page.mouse.up();
      await expect(form).toContainText(local(from.start).time);
      await expect(form).toContainText(to.time);
      expect(await begins(customer, number), 'nothing is moved yet').toBe(from.start);
      await send.click();
      await expect(form).toHaveCount(0);
      expect(await begins(customer, number)).toBe(from.start + 90 * MINUTE);
    });
  }

  await test.step('by the form: what cannot be had is said, and stays as it was typed', async () => {
    await item.getByRole('link', { name: new RegExp(t('booking_office.move')) }).click();
    await form.getByLabel(t('booking_office.move_time')).fill('03:00');
    await send.click();
    await expect(page.getByRole('alert').first()).toBeVisible();
    await expect(form.getByLabel(t('booking_office.move_time'))).toHaveValue('03:00');
    await expect(form.getByLabel(t('booking_office.move_date'))).toHaveValue(date);
  });

  await test.step('to somebody else who is free', async () => {
    const other = workers.find((worker, place) => worker.id !== who.id && later(from.start, 90 * MINUTE, place));
    await form.getByLabel(t('booking_office.move_time')).fill(to.time);
    if (other) await form.getByLabel(t('booking_office.move_who')).selectOption(other.id);
    await send.click();
    await expect(form).toHaveCount(0);
    expect(await begins(customer, number)).toBe(from.start + 90 * MINUTE);
    if (!other) return;
    const column = page.locator(`.agenda-column[data-resource="${other.id}"]`);
    await expect(column.locator('.agenda-item').filter({ hasText: grouped(number) })).toBeVisible();
  });

  await test.step('the week shows it too, and its customer what happened', async () => {
    await page.getByRole('link', { name: t('booking_office.week'), exact: true }).click();
    await expect(item).toBeVisible();
    await item.getByRole('link', { name: new RegExp(t('booking_office.move')) }).click();
    await form.getByRole('link', { name: t('booking_office.keep') }).click();
    await expect(form).toHaveCount(0);
    await customer.open(`/orders/${number}`);
    await expect(customer.main).toContainText(to.time);
  });
});
