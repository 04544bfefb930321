// Where people read most and longest, once more in English: its texts are longer, so that what they name may get too small
// to touch, and names may be missing in one language alone. Its colours are those of the other specs.

import type { Page } from '@playwright/test';
import { STILL, look as lookIn } from './axe.ts';
import { LOGIN, PASSWORD, expect, test } from './support.ts';

test.use(STILL);

async function look(page: Page, name: string): Promise<void> {
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await lookIn(page, name, ['light']);
}

test('from the product to the order', async ({ shopper, page, office, guard }) => {
  guard.allow(/status of 422/);
  test.slow();
  const { product, variant } = await office.stocked('oak-photo-frame');
  await shopper.open(`/p/${product.handle}`);
  await look(page, 'a product');
  await shopper.put(variant, 2);
  await shopper.open('/cart');
  await look(page, 'a cart');
  await shopper.open('/checkout');
  await look(page, 'checkout');
  await shopper.next();
  await expect(page.getByRole('alert').first()).toBeVisible();
  await look(page, 'checkout with errors');
  await shopper.keepAddress();
  await shopper.open('/checkout/review');
  await look(page, 'review');
  const number = await shopper.submit();
  await look(page, 'payment');
  await shopper.open(`/orders/${number}`);
  await look(page, 'to be paid');
});

test('the office', async ({ shopper, page, office }) => {
  test.slow();
  const { variant } = await office.stocked('lake-fishing-rod');
  const number = await shopper.paidOrder(variant);
  await page.goto('/office/sign-in');
  await look(page, 'the door');
  await shopper.post('office/sign_in', { login: LOGIN, password: PASSWORD });
  await page.goto(`/office?state=all&q=${number}`);
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await look(page, 'orders');
  await page.goto(`/office/orders/${number}`);
  await look(page, 'an order to be shipped');
  await page.goto(`/office/stock?q=${variant.sku}`);
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await look(page, 'the shelf');
});
