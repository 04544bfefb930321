// The office moves a customer's trip to another departure from the page of its order. With script and without.

import { LOGIN, PASSWORD, type Shopper, escape, expect, test } from '../support.ts';

const DAY = 86_400_000;

/** When the booking of an order begins now, by the clocks of the venues of the demo shop. */
async function begins(customer: Shopper, number: string): Promise<string | undefined> {
  const answer = await customer.page.request.get('/api/order/get', { params: { number } });
  const order = (await answer.json()) as { lines: { booking: { start: number } | null }[] };
  const start = order.lines.find((line) => line.booking)?.booking?.start;
  return start === undefined ? undefined : new Date(start + 8 * 3_600_000).toISOString().slice(0, 16);
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

  await page.goto('/office/sign-in');
  await page.getByRole('textbox', { name: t('office.login') }).fill(LOGIN);
  await page.getByRole('textbox', { name: t('office.password') }).fill(PASSWORD);
  await page.getByRole('button', { name: t('office.sign_in'), exact: true }).click();
  await expect(page).toHaveURL(/\/office$/);
  await page.goto(`/office/orders/${number}`);
  await page.getByRole('link', { name: new RegExp(`^${escape(t('booking_office.move'))} `) }).click();
  const form = page.locator('section[aria-labelledby="elsewhere-title"]');
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
