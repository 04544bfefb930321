// The pictures of a product. Without script one opens by itself.

import { expect, test } from '../support.ts';

test('pictures are enlarged and paged through by keyboard', async ({ shopper, page }) => {
  await shopper.open('/p/air-laptop-14');
  await page.getByRole('link', { name: '放大图片 1' }).click();
  const viewer = page.getByRole('dialog', { name: '大图' });
  await expect(viewer).toContainText('1 / 3');
  await page.keyboard.press('ArrowRight');
  await expect(viewer).toContainText('2 / 3');
  await viewer.getByRole('button', { name: '上一张' }).click();
  await expect(viewer).toContainText('1 / 3');
  await page.keyboard.press('Escape');
  await expect(viewer).toBeHidden();
});
