// Nights that can be had in a house of the demo shop.

import { type Product, type Shopper, expect } from '../support.ts';

interface Night {
  date: string;
  state: 'Free' | 'Few' | 'NoArrival' | 'SoldOut' | 'Closed';
}

export interface House {
  rooms: { variant_id: string; left: number; price: { total: number } | null }[];
}

/** Days later, as dates are written in addresses. */
export function plus(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** What the shop answers to a question of a customer. */
export async function get<T>(shopper: Shopper, name: string, params: Record<string, string>): Promise<T> {
  const answer = await shopper.page.request.get(`/api/${name}`, { params, headers: { 'accept-language': shopper.language } });
  expect(answer.ok(), await answer.text()).toBe(true);
  return answer.json();
}

/** The first stays of so many nights, each for two in the first room type, in the month that is so many days away. */
export async function freeStays(
  shopper: Shopper, product: Product, nights: number, days: number, count: number,
): Promise<[arrival: string, departure: string][]> {
  const variant_id = product.variants[0].id;
  const month = plus(new Date().toISOString().slice(0, 10), days).slice(0, 7);
  const list = await get<{ nights: Night[] }>(shopper, 'stay/nights', { variant_id, month });
  const found: [string, string][] = [];
  for (const { date, state } of list.nights) {
    if (state !== 'Free' && state !== 'Few') continue;
    const departure = plus(date, nights);
    const house = await get<House>(shopper, 'stay/house', {
      product_id: product.id, 'form[arrival]': date, 'form[departure]': departure, 'form[adults]': '2',
    });
    if (house.rooms.find((room) => room.variant_id === variant_id)?.price) found.push([date, departure]);
    if (found.length === count) return found;
  }
  throw new Error(`${product.handle} has no ${count} times ${nights} free nights in ${month}`);
}

/** The first of these stays. */
export async function freeStay(shopper: Shopper, product: Product, nights = 2, days = 40): Promise<[arrival: string, departure: string]> {
  const [stay] = await freeStays(shopper, product, nights, days, 1);
  return stay;
}
