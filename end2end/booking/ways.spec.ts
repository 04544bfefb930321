// The ways to what is booked: tiles on the start page and links in the footer.

import { expect, test } from '../support.ts';

test('the start page and the footer lead to rooms, tables, trips and services', async ({ shopper, page, t }) => {
  await shopper.open('/');
  const ways = page.getByRole('navigation', { name: t('shell.ways'), exact: true });
  const footer = page.getByRole('navigation', { name: t('shell.footer') });
  for (const [name, path] of [
    ['stays', '/stays'], ['tables', '/tables'], ['trips', '/trips'], ['services', '/c/'],
  ]) {
    const tile = ways.getByRole('link', { name: t(`shell.${name}`), exact: true });
    await expect(tile).toHaveAttribute('href', new RegExp(`^${path}`));
    expect((await tile.boundingBox())?.height, name).toBeGreaterThanOrEqual(44);
    await expect(footer.getByRole('link', { name: t(`shell.${name}`), exact: true })).toHaveAttribute('href', new RegExp(`^${path}`));
  }
  await ways.getByRole('link', { name: t('shell.services'), exact: true }).click();
  await expect(page).toHaveURL(/\/c\//);
  await expect(page.getByRole('main').getByRole('listitem').first()).toBeVisible();
  await page.goBack();
  if (!shopper.js) return;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, 'nothing sticks out').toBeLessThanOrEqual(0);
});
