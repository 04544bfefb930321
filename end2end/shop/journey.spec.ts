// The whole way of a customer, hydrated and without script, at phone and desktop size, in both languages.

import { type Product, type Variant, escape, expect, grouped, money, oneOf, test } from '../support.ts';

/** A variant that differs from the one shown first in every option. */
function another(product: Product): Variant {
  const first = product.variants.find((variant) => variant.available > 0) ?? product.variants[0];
  const variant = product.variants.find((variant) => variant.choices.every((choice, i) => choice !== first.choices[i]));
  if (!variant) throw new Error(`${product.handle} has nothing to choose`);
  return variant;
}

test('from the home page to goods that have arrived', async ({ shopper, office, mine, language, t }) => {
  test.slow();
  const { page } = shopper;
  const handle = mine(
    'cloud-runner', 'ridge-hiking-boots', 'heavyweight-cotton-tee', 'lay-flat-notebook', 'quick-dry-shorts', 'penny-loafers',
  );
  const product = await office.product(handle, language);
  const variant = another(product);
  await office.setStock(variant, 50);
  const label = product.options.map((option, i) => option.values[variant.choices[i]]).join(' / ');
  const total = money(variant.price * 3);
  const category = product.breadcrumbs.at(-1)?.[1] ?? '';

  await test.step('home, category, list, product', async () => {
    await shopper.open('/');
    await expect(page.getByRole('heading', { level: 1 })).toContainText(t('start.hero_title'));
    await page.getByRole('region', { name: t('start.by_category') }).getByRole('link', { name: t('start.all_categories') }).click();
    await expect(shopper.heading(t('start.all_categories'))).toBeVisible();
    await shopper.main.getByRole('link', { name: new RegExp(`^${escape(category)} \\d+`) }).click();
    await expect(shopper.heading(category)).toBeVisible();
    await shopper.main.getByRole('link', { name: product.title, exact: true }).click();
    await expect(shopper.heading(product.title)).toBeVisible();
    await expect(page).toHaveTitle(new RegExp(`· ${t('shell.name')}$`));
  });

  await test.step('a variant into the cart', async () => {
    for (const [i, option] of product.options.entries()) {
      const value = option.values[variant.choices[i]];
      const radio = page.getByRole('radiogroup', { name: option.name }).getByRole('radio', { name: new RegExp(`^${escape(value)}( |$)`) });
      await radio.click();
      await expect(radio).toBeChecked();
    }
    await expect(shopper.main.getByText(money(variant.price)).first()).toBeVisible();
    await expect(page.getByText(t('catalog.in_stock_now'), { exact: true })).toBeVisible();
    await page.getByRole('spinbutton', { name: t('common.quantity') }).fill('3');
    await page.getByRole('button', { name: t('catalog.add_to_cart') }).click();
    await shopper.added();
    if (shopper.js) await page.getByRole('button', { name: t('catalog.view_cart') }).click();
  });

  await test.step('the cart', async () => {
    await expect(page).toHaveURL(/\/cart$/);
    await expect(shopper.heading(t('cart.title'))).toBeVisible();
    const line = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: product.title }) });
    await expect(line.getByText(label)).toBeVisible();
    await expect(line.getByRole('spinbutton', { name: t('cart.quantity_of', { title: product.title }) })).toHaveValue('3');
    await expect(line.getByText(total)).toBeVisible();
    await page.getByRole('link', { name: oneOf(t('cart.checkout'), t('cart.checkout_count', { n: 3 })) }).click();
  });

  const number = await test.step('checkout, review, submit', async () => {
    await expect(shopper.heading(t('checkout.title'))).toBeAttached();
    await shopper.fillCheckout();
    await shopper.field('note').fill('door bell 7');
    await page.getByRole('radio', { name: t('payment.wechat_pay') }).check();
    await shopper.next();
    await expect(shopper.heading(t('checkout.review_title'))).toBeAttached();
    const to = page.getByRole('region', { name: t('checkout.contact') });
    for (const text of [shopper.who.recipient, '+86 138 0013 8000', shopper.who.detail, 'door bell 7']) await expect(to).toContainText(text);
    await expect(page.getByRole('region', { name: t('payment.method') })).toContainText(t('payment.wechat_pay'));
    await expect(page.getByRole('region', { name: t('checkout.goods') })).toContainText(label);
    await expect(page.getByRole('complementary', { name: t('checkout.to_pay') })).toContainText(total);
    return shopper.submit();
  });

  await test.step('payment at the cashier of the sandbox', async () => {
    await expect(shopper.main.getByText(total, { exact: true }).first()).toBeVisible();
    await expect(page.getByRole('radio', { name: t('payment.wechat_pay') })).toBeChecked();
    await shopper.pay('success');
    await shopper.sees(shopper.heading(t('order.to_ship_title')));
    await expect(page.getByRole('region', { name: t('order.progress') })).toContainText(t('order.event_paid'));
    await expect(shopper.main).toContainText(grouped(number));
  });

  await test.step('the office ships, the page tells', async () => {
    await office.ship(number, '顺丰速运', `SF${number}`);
    await shopper.sees(shopper.heading(t('order.shipped_title')));
    const delivery = page.getByRole('region', { name: t('order.delivery') });
    await expect(delivery).toContainText(`SF${number}`);
    await expect(delivery).toContainText('顺丰速运');
  });

  await test.step('the goods have arrived', async () => {
    await shopper.confirm(t('order.received'), t('order.ask_receive_title'), t('order.received'));
    await expect(shopper.heading(t('order.completed_title'))).toBeVisible();
    await expect(page.getByRole('region', { name: t('order.progress') })).toContainText(t('order.event_completed'));
    if (shopper.js) await expect(shopper.heading(t('order.completed_title'))).toBeFocused();
    await shopper.open('/orders?state=completed');
    const card = page.getByRole('article', { name: grouped(number) });
    await expect(card).toContainText(product.title);
    await expect(card).toContainText(total);
    await expect(card).toContainText(t('order.state_completed'));
  });
});
