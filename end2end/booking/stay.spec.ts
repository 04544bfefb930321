// Rooms: from a place and dates to a room in the cart; what is wrong with a search, and the calendar of nights.

import { escape, expect, test } from '../support.ts';
import { type House, freeStay, get, plus } from './nights.ts';

test('a room is found by place and dates, and goes into the cart', async ({ shopper, page, office, t }) => {
  const product = await office.product('reedsong-hotel-xixi', shopper.language);
  const [arrival, departure] = await freeStay(shopper, product);
  await shopper.open('/stays');
  await expect(shopper.heading(t('booking_stay.title'))).toBeVisible();
  // Who says nothing means tomorrow.
  await expect(page.getByLabel(t('booking_stay.arrival'))).not.toHaveValue('');
  await page.getByRole('combobox', { name: new RegExp(`^${t('booking_stay.place')}`) }).fill('杭州');
  await page.getByLabel(t('booking_stay.arrival')).fill(arrival);
  await page.getByLabel(t('booking_stay.departure')).fill(departure);
  await page.getByRole('button', { name: t('booking_stay.show_rooms') }).click();
  await expect(page).toHaveURL(new RegExp(`arrival=${arrival}&departure=${departure}`));
  await expect(page.getByRole('status').filter({ hasText: t('booking_stay.found_one', { n: 1 }) })).toBeVisible();
  // What was typed stands in the form again.
  await expect(page.getByRole('combobox', { name: new RegExp(`^${t('booking_stay.place')}`) })).toHaveValue('杭州');
  await expect(page.getByLabel(t('booking_stay.departure'))).toHaveValue(departure);

  const card = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: product.title }) });
  await expect(card).toContainText(t('booking_stay.total'));
  await expect(card).toContainText('¥');
  await card.getByRole('link', { name: product.title }).click();
  await expect(shopper.heading(product.title)).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/p/${product.handle}\\?arrival=${arrival}`));

  const name = product.options[0].values[0];
  const room = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) });
  const book = (meal: string) => new RegExp(`^${escape(t('booking_stay.book'))}\\s+${escape(`${name}, ${meal}`)}$`);
  await expect(room.getByRole('button', { name: book(t('booking_stay.with_breakfast')) })).toBeVisible();
  await room.getByRole('button', { name: book(t('booking_stay.without_breakfast')) }).click();
  if (shopper.js) await expect(page.getByText(t('booking_stay.added'))).toBeVisible();
  else await expect(page).toHaveURL(/\/cart$/);
  const cart = await get<{ bookings: { title: string; label: string }[] }>(shopper, 'cart/get', {});
  expect(cart.bookings.map((booking) => booking.title)).toEqual([`${product.title} · ${name}`]);
  expect(cart.bookings[0].label).toContain(t('booking.nights', { n: 2 }));
});

test('what makes no stay is told beside its field, and stays as it was typed', async ({ shopper, page, t }) => {
  await shopper.open('/stays?arrival=2020-01-01&departure=2020-01-03&adults=2&children=0&rooms=1');
  const arrival = page.getByLabel(t('booking_stay.arrival'));
  await expect(arrival).toHaveValue('2020-01-01');
  await expect(arrival).toHaveAccessibleDescription(t('booking_stay.arrival_wrong'));
  await expect(arrival).toHaveAttribute('aria-invalid', 'true');

  const far = plus(new Date().toISOString().slice(0, 10), 30);
  await shopper.open(`/stays?arrival=${far}&departure=${far}&adults=1&children=0&rooms=2`);
  await expect(page.getByLabel(t('booking_stay.departure'))).toHaveAccessibleDescription(t('booking_stay.departure_wrong'));
  const rooms = page.getByRole('spinbutton', { name: t('booking_stay.rooms') });
  await expect(rooms).toHaveValue('2');
  await expect(rooms).toHaveAccessibleDescription(t('booking_stay.rooms_wrong_one', { n: 1 }));
  await page.getByLabel(t('booking_stay.departure')).fill(plus(far, 1));
  await rooms.fill('1');
  await page.getByRole('button', { name: t('booking_stay.show_rooms') }).click();
  await expect(page).toHaveURL(new RegExp(`departure=${plus(far, 1)}`));
  await expect(arrival).not.toHaveAttribute('aria-invalid', 'true');
});

test('a search that finds nothing leads on', async ({ shopper, page, t }) => {
  const far = plus(new Date().toISOString().slice(0, 10), 30);
  const asked = `arrival=${far}&departure=${plus(far, 1)}&children=0&rooms=1`;
  await shopper.open(`/stays?place=${encodeURIComponent('南极')}&${asked}&adults=2`);
  await expect(page.getByRole('heading', { name: t('booking_stay.nothing') })).toBeVisible();
  await page.getByRole('link', { name: t('booking_stay.anywhere') }).click();
  await expect(page).not.toHaveURL(/place=/);

  // Six people fit into no single room of the demo, and into two somewhere.
  await shopper.open(`/stays?${asked}&adults=6`);
  await page.getByRole('link', { name: t('booking_stay.try_rooms', { n: 2 }) }).click();
  await expect(page).toHaveURL(/rooms=2/);
});

test('the calendar shows the price of each night, and a night asks for a stay from it on', async ({ shopper, page, office, t }) => {
  const product = await office.product('lipan-homestay-yangshuo', shopper.language);
  const [arrival, departure] = await freeStay(shopper, product);
  const month = arrival.slice(0, 7);
  await shopper.open(`/p/${product.handle}?arrival=${arrival}&departure=${departure}&adults=2&month=${month}`);
  const table = page.getByRole('table', { name: new RegExp(escape(product.options[0].values[0])) });
  await expect(table).toBeVisible();
  const chosen = table.locator('a[aria-current="date"]');
  await expect(chosen).toContainText('¥');
  const other = table.locator('a.night:not([aria-current])').first();
  const text = await other.locator('.visually-hidden').innerText();
  await other.click();
  await expect(page).not.toHaveURL(new RegExp(`arrival=${arrival}`));
  await expect(chosen.locator('.visually-hidden')).toHaveText(text);
});

test('rooms that go while they are in the cart: another room, or other nights, are one tap', async ({
  shopper, another, page, office, t, mine,
}) => {
  const product = await office.product('lipan-homestay-yangshuo', shopper.language);
  const variant = product.variants[0].id;
  // A month of its own for each project.
  const stay = await freeStay(shopper, product, 2, Number(mine('80', '112', '144', '-', '176', '-')));
  const wish = (rooms: number) => JSON.stringify({
    kind: 'stay', stay, guests: { adults: rooms, children: 0 }, rooms, breakfast: false,
  });
  await shopper.post('booking/add', { variant_id: variant, wish: wish(1) });

  const house = await get<House>(shopper, 'stay/house', {
    product_id: product.id, 'form[arrival]': stay[0], 'form[departure]': stay[1], 'form[adults]': '2',
  });
  const left = house.rooms.find((room) => room.variant_id === variant)?.left ?? 0;
  const other = await another();
  await other.post('booking/add', { variant_id: variant, wish: wish(left) });
  const { variant: goods } = await office.stocked('brass-oval-mirror');
  await other.order(goods);

  await shopper.open('/cart');
  await expect(page.getByText(t('booking_stay.line_gone_near'))).toBeVisible();
  await page.locator('button[name=wish]').first().click();
  await expect(page.getByText(t('booking_stay.line_gone_near'))).toHaveCount(0);
  const cart = await get<{ bookings: { available: boolean }[] }>(shopper, 'cart/get', {});
  expect(cart.bookings.map(({ available }) => available)).toEqual([true]);
});
