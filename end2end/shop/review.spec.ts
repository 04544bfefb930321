// Reviews: who received something says how it was, changes and removes it, and everybody reads it. With script and without.

import { type Office, type Shopper, escape, expect, test } from '../support.ts';

/** An order of a product of this project's own, which has arrived. */
async function received(shopper: Shopper, office: Office, handle: string): Promise<string> {
  const { variant } = await office.stocked(handle);
  const number = await shopper.paidOrder(variant);
  await office.ship(number, '顺丰速运', 'SF1234567890');
  await shopper.post('order/complete', { number });
  return number;
}

test('what was received is reviewed, changed and removed', async ({ shopper, page, office, t, guard, mine }) => {
  guard.allow(/status of 422/);
  const handle = mine('gel-pen-set', 'beeswax-crayons', 'aluminium-ruler-set', 'spiral-sketchbook', 'lay-flat-notebook', 'watercolour-set');
  const { title } = await office.product(handle, shopper.language);
  const number = await received(shopper, office, handle);

  await test.step('no stars where nobody gave any', async () => {
    await shopper.open(`/p/${handle}`);
    const reviews = page.getByRole('region', { name: t('review.title'), exact: true });
    await expect(reviews).toContainText(t('review.none'));
    await expect(page.getByText('★')).toHaveCount(0);
  });

  await test.step('from the list of orders', async () => {
    await page.goto('/orders');
    await page.getByRole('link', { name: t('review.write_of', { title }) }).click();
    await expect(shopper.heading(t('review.write_title'))).toBeVisible();
    await expect(page.getByText(t('review.name_hint', { name: `${[...shopper.who.recipient][0]}**` }))).toBeVisible();
  });

  const body = page.getByRole('textbox', { name: t('review.body') });
  const send = page.getByRole('button', { name: t('review.send'), exact: true });
  await test.step('what is typed stays where something is missing', async () => {
    await body.fill('纸很顺滑，写着不洇。\nhttps://example.com <b>1</b>');
    await send.click();
    await expect(page).toHaveURL(/\/review\/0/);
    await expect(body).toHaveValue(/纸很顺滑/);
  });

  await test.step('stars are chosen with the keyboard', async () => {
    const first = page.getByRole('radio', { name: t('review.star_1') });
    await first.focus();
    for (let n = 1; n < 4; n += 1) await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('radio', { name: t('review.star_4') })).toBeChecked();
    const box = await page.locator('label.star').first().boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
  });
  await send.click();
  await expect(page).toHaveURL(new RegExp(`/orders/${number}(?!/)`));
  await expect(page.getByText(t('review.sent')).first()).toBeVisible();

  await test.step('everybody reads it, as plain text', async () => {
    await shopper.open(`/p/${handle}`);
    const reviews = page.getByRole('region', { name: t('review.title'), exact: true });
    await expect(reviews).toContainText('https://example.com <b>1</b>');
    await expect(reviews.getByRole('link', { name: /example\.com/ })).toHaveCount(0);
    await expect(reviews.getByText(t('review.stars_of', { n: 4 }))).toBeAttached();
    const data = await page.locator('script[type="application/ld+json"]').first().textContent();
    expect(data).toContain('"ratingValue":"4.0"');
    await reviews.getByRole('link', { name: new RegExp(`^${escape(t('review.stars_one', { n: 1 }))}`) }).click();
    await expect(reviews).toContainText(t('review.empty_filter'));
    await reviews.getByRole('link', { name: t('review.all'), exact: true }).click();
    await expect(reviews).toContainText('纸很顺滑');
  });

  await test.step('it is changed', async () => {
    await shopper.open(`/orders/${number}`);
    await page.getByRole('link', { name: new RegExp(escape(t('review.change'))) }).click();
    await expect(page.getByRole('radio', { name: t('review.star_4') })).toBeChecked();
    await page.locator('label.star').nth(4).click();
    await page.getByRole('checkbox', { name: t('review.anonymously') }).check();
    await page.getByRole('button', { name: t('review.save'), exact: true }).click();
    // The form itself is below the order's address: leaving it before its answer came would end it.
    await expect(page).toHaveURL(new RegExp(`/orders/${number}(?!/)`));
    await shopper.open(`/p/${handle}`);
    await expect(page.getByRole('region', { name: t('review.title'), exact: true })).toContainText(t('review.anonymous'));
  });

  await test.step('it is removed, which asks first', async () => {
    await shopper.open(`/orders/${number}/review/0`);
    const remove = page.getByRole('button', { name: t('review.remove_do') });
    await expect(remove).toBeHidden();
    await page.locator('summary').filter({ hasText: t('review.remove') }).click();
    await remove.click();
    await expect(page.getByText(t('review.removed')).first()).toBeVisible();
    await shopper.open(`/p/${handle}`);
    await expect(page.getByRole('region', { name: t('review.title'), exact: true })).toContainText(t('review.none'));
  });
});

test('reviews of a service tell who came', async ({ shopper, page, t }) => {
  await shopper.open('/p/tuina-massage');
  const reviews = page.getByRole('region', { name: t('review.title'), exact: true });
  await expect(reviews.getByRole('article').first()).toBeVisible();
  await expect(reviews).toContainText('吴正');
  await reviews.getByRole('link', { name: t('review.lowest'), exact: true }).click();
  await expect(page).toHaveURL(/reviews=lowest/);
  await expect(reviews.getByRole('article').first()).toContainText('白露');
});
