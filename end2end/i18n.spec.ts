// Both languages, everywhere and nothing but.

import type { Page } from '@playwright/test';
import { type Language, LOGIN, PASSWORD, expect, test, texts } from './support.ts';

/** Every text a page shows or tells to those who listen. */
async function said(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found = new Set<string>([document.title]);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      // The names of the languages are each in their own.
      if (parent && !parent.closest('script, style, [lang]:not(html)')) found.add(node.textContent?.trim() ?? '');
    }
    for (const name of ['aria-label', 'alt', 'title', 'placeholder']) {
      for (const element of document.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name)?.trim() ?? '');
    }
    found.delete('');
    return [...found];
  });
}

const HAN = /\p{Script=Han}/u;

/** Texts of the interface that stand in one language only, as they would look in the wrong place. */
function foreign(language: Language): Set<string> {
  const [own, other] = language === 'en' ? [texts('en'), texts('zh-CN')] : [texts('zh-CN'), texts('en')];
  const same = new Set(Object.values(own));
  return new Set(Object.values(other).filter((text) => text !== '' && !same.has(text)));
}

for (const locale of ['zh-CN', 'en-GB']) {
  test.describe(locale, () => {
    test.use({ locale });

    test('every page speaks one language', async ({ shopper, page, office, language, guard }) => {
      guard.allow(/status of 404/);
      test.slow();
      const { variant } = await office.stocked(language === 'en' ? 'gradient-kite' : 'coding-robot');
      const number = await shopper.paidOrder(variant);
      const open = await shopper.order(variant);
      await shopper.put(variant);
      const product = await office.product('summit-backpack', language);
      const wrong = foreign(language);
      const paths = [
        '/', '/categories', `/c/${product.breadcrumbs[0][0]}`, '/search?brand=Yelu&stock=1', '/search?q=zzz', '/p/summit-backpack', '/stays', '/cart',
        '/checkout', '/checkout/review', `/pay/${open}`, `/orders/${number}`, `/orders/${open}`, `/orders/${open}/edit`, '/orders',
        '/orders?state=completed', '/orders/find', '/me', '/me/favourites', '/me/viewed',
        '/me/addresses', '/me/notifications', '/offline', '/nowhere', '/office/sign-in', '/design',
        '/privacy/shared', '/me/privacy', '/me/consent',
      ];
      const look = async (path: string) => {
        await page.goto(path);
        await expect(page.locator('html')).toHaveAttribute('lang', language);
        await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
        const all = await said(page);
        expect.soft(all.filter((text) => wrong.has(text)), `${path}: texts of the other language`).toEqual([]);
        expect.soft(all.filter((text) => /\{\w+\}/.test(text)), `${path}: holes that were not filled`).toEqual([]);
        if (language === 'en') expect.soft(all.filter((text) => HAN.test(text)), `${path}: Chinese`).toEqual([]);
        else await expect.soft(page, path).toHaveTitle(HAN);
      };
      for (const path of paths) await look(path);
      await look(await shopper.post<string>('order/pay', { number: open }));
      // Behind the door. Only what this test ordered: what other customers typed and bought is shown in their language.
      await shopper.post('office/sign_in', { login: LOGIN, password: PASSWORD });
      await look(`/office?q=${number}`);
      await look('/office?state=cancelled&q=zzz');
      for (const order of [number, open]) {
        await look(`/office?state=all&q=${order}`);
        await look(`/office/orders/${order}`);
      }
      await look(`/office/stock?q=${variant.sku}`);
      await look('/office/stock?q=zzz');
      await look('/office/second');
      await look('/office/password');
      await look('/office/people');
    });
  });
}

test('another language keeps the page, and is remembered', async ({ page }) => {
  await page.goto('/search?q=Yelu&sort=price-asc');
  const footer = page.getByRole('contentinfo');
  await footer.getByRole('link', { name: 'English' }).click();
  await expect(page).toHaveURL(/\/search\?q=Yelu&sort=price-asc$/);
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Results for “Yelu”');
  await page.goto('/cart');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your cart is empty');
  await page.getByRole('contentinfo').getByRole('link', { name: '中文' }).click();
  await expect(page).toHaveURL(/\/cart$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('购物车还是空的');
});

test('an address that asks for a language shows it, for as long as the page lives', async ({ shopper, page, office }) => {
  const product = await office.product('summit-backpack', 'en');
  await shopper.open('/p/summit-backpack?lang=en');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(shopper.heading(product.title)).toBeVisible();
  const here = new URL(page.url());
  await expect(page.locator('head link[rel=canonical]')).toHaveAttribute('href', here.href);
  await expect(page.locator('head link[hreflang=x-default]')).toHaveAttribute('href', here.origin + here.pathname);
  const [handle, category] = product.breadcrumbs[0];
  await page.getByRole('main').getByRole('link', { name: category, exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/c/${encodeURIComponent(handle)}$`));
  await expect(shopper.heading(category)).toBeVisible();
  const all = await said(page);
  expect(all.filter((text) => HAN.test(text)), 'what is loaded later speaks the same language').toEqual([]);
  expect(await page.context().cookies(), 'nothing is remembered').not.toContainEqual(expect.objectContaining({ name: 'lang' }));
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
});
