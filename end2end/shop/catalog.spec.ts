// Finding things: lists, filters, search, what is not there, and what machines read.

import type { Locator } from '@playwright/test';
import { type Product, escape, expect, money, test } from '../support.ts';

/** The prices of the products in a list, in their order; of several the lowest. What is saved is no price. */
async function prices(list: Locator): Promise<number[]> {
  const texts = await list.getByRole('listitem').allInnerTexts();
  return texts.map((text) => Number((text.match(/(?<!省 )¥([\d,]+(?:\.\d+)?)/)?.[1] ?? '').replaceAll(',', '')));
}

test('a list is paged, sorted and filtered, and its address says how', async ({ shopper, page }) => {
  const list = page.getByRole('region', { name: '商品列表' });
  const total = list.getByRole('status');
  await shopper.open('/search');
  await expect(shopper.heading('全部商品')).toBeVisible();
  await expect(total).toHaveText(/^共 \d+ 件商品$/);
  const [first] = await list.getByRole('listitem').allInnerTexts();

  await test.step('pages', async () => {
    await list.getByRole('navigation', { name: '分页' }).getByRole('link', { name: '下一页' }).click();
    await expect(page).toHaveURL(/\/search\?page=2$/);
    await expect(list.getByRole('link', { name: '2', exact: true })).toHaveAttribute('aria-current', 'page');
    await expect(list.getByRole('listitem').first()).not.toHaveText(first);
    await page.goBack();
    await expect(list.getByRole('link', { name: '1', exact: true })).toHaveAttribute('aria-current', 'page');
  });

  await test.step('order', async () => {
    await list.getByRole('combobox', { name: '排序' }).selectOption('价格从低到高');
    if (!shopper.js) await list.getByRole('button', { name: '排序' }).click();
    await expect(page).toHaveURL(/sort=price-asc/);
    await expect(async () => {
      const shown = await prices(list);
      expect(shown.length).toBe(24);
      expect(shown).toEqual([...shown].sort((a, b) => a - b));
    }).toPass({ timeout: 10_000 });
  });

  await test.step('filters', async () => {
    const brand = page.getByRole('checkbox', { name: /^Yelu/ });
    if (!(await brand.isVisible())) await page.getByText('筛选', { exact: true }).click();
    const label = (await page.locator('label').filter({ has: brand }).innerText()).trim();
    await brand.check();
    if (!shopper.js) await page.getByRole('button', { name: '应用筛选' }).click();
    await expect(page).toHaveURL(/brand=Yelu/);
    await expect(page).toHaveURL(/sort=price-asc/);
    await expect(total).toHaveText(`共 ${label.replace(/\D/g, '')} 件商品`);
    for (const item of await list.getByRole('listitem').all()) await expect(item).toContainText('Yelu');

    await page.goto(`${page.url()}&min=200&max=600&stock=1`);
    await expect(page.getByRole('navigation', { name: '已选条件' })).toContainText('¥200.00 – ¥600.00');
    const shown = await prices(list);
    expect(shown.length).toBeGreaterThan(0);
    await expect(list.getByText('暂时缺货')).toHaveCount(0);
    await page.getByRole('link', { name: /^移除条件：\s*Yelu/ }).click();
    await expect(page).not.toHaveURL(/brand=/);
    await expect(page).toHaveURL(/min=200/);
    await page.getByRole('navigation', { name: '已选条件' }).getByRole('link', { name: '清除全部' }).click();
    await expect(page).toHaveURL(/\/search\?sort=price-asc$/);
  });

  await test.step('nothing left', async () => {
    await shopper.open('/search?min=900000');
    await expect(page.getByRole('heading', { name: '没有符合条件的商品' })).toBeVisible();
    await page.getByRole('link', { name: '清除筛选' }).click();
    await expect(list.getByRole('listitem')).toHaveCount(24);
  });
});

test('prices that make no range are told beside the field, and stay as they were typed', async ({ shopper, page, t }) => {
  const open = async () => {
    const fold = page.locator('summary', { hasText: t('catalog.filter') });
    if (!(await page.getByRole('textbox', { name: t('catalog.price_min') }).isVisible())) await fold.click();
  };
  const min = page.getByRole('textbox', { name: t('catalog.price_min') });
  const max = page.getByRole('textbox', { name: t('catalog.price_max') });
  const total = page.getByRole('region', { name: t('catalog.list') }).getByRole('status');
  await shopper.open('/search?stock=1');
  if (shopper.js) await page.waitForLoadState('networkidle');
  const all = await total.innerText();
  await open();
  await min.fill('300');
  await max.fill('100');
  await page.getByRole('button', { name: t('catalog.apply') }).click();
  await expect(max).toHaveAccessibleDescription(t('problem.bounds'));
  await expect(max).toHaveAttribute('aria-invalid', 'true');
  await expect(min).not.toHaveAttribute('aria-invalid', 'true');
  await expect(min).toHaveValue('300');
  await expect(max).toHaveValue('100');
  await expect(total).toHaveText(all);

  await min.fill('cheap');
  await page.getByRole('button', { name: t('catalog.apply') }).click();
  await expect(min).toHaveAccessibleDescription(t('problem.number_expected'));
  await expect(max).not.toHaveAttribute('aria-invalid', 'true');
  await expect(min).toHaveValue('cheap');

  await min.fill('50');
  await page.getByRole('button', { name: t('catalog.apply') }).click();
  await expect(page).toHaveURL(/min=50&max=100/);
  await expect(page.getByRole('navigation', { name: t('catalog.chosen_filters') })).toContainText('¥50.00 – ¥100.00');
  // Whoever applied the filters sees the products; where there is room for both, the filters stay.
  await expect(min).toBeVisible({ visible: (page.viewportSize()?.width ?? 0) >= 900 });

  await test.step('also in an address', async () => {
    await page.goto('/search?min=abc&max=100');
    await expect(min).toBeVisible();
    await expect(min).toHaveValue('abc');
    await expect(max).toHaveValue('100');
    await expect(min).toHaveAccessibleDescription(t('problem.number_expected'));
  });
});

test('search finds by words, and helps on when it finds nothing', async ({ shopper, page }) => {
  await shopper.open('/');
  const field = page.getByRole('banner').getByRole('searchbox', { name: '搜索商品' });
  await field.fill('龙井');
  await field.press('Enter');
  await expect(shopper.heading('“龙井”的结果')).toBeVisible();
  await expect(shopper.main.getByRole('link', { name: '明前龙井', exact: true })).toBeVisible();
  await expect(field).toHaveValue('龙井');

  await field.fill('独角兽');
  await field.press('Enter');
  await expect(shopper.heading('没有找到“独角兽”')).toBeVisible();
  await expect(page.getByRole('region', { name: '看看大家都在买的' }).getByRole('listitem').first()).toBeVisible();
  await shopper.main.getByRole('link', { name: '浏览分类' }).click();
  await expect(shopper.heading('全部分类')).toBeVisible();
});

test('a search is narrowed to a category, which keeps what else was chosen', async ({ shopper, page, t }) => {
  const list = page.getByRole('region', { name: t('catalog.list') });
  const total = list.getByRole('status');
  const chosen = page.getByRole('navigation', { name: t('catalog.chosen_filters') });
  const group = page.getByRole('group', { name: t('catalog.category') });
  const unfold = async () => {
    if (!(await group.isVisible())) await page.locator('summary', { hasText: t('catalog.filter') }).click();
  };
  await shopper.open('/search?q=%E7%A4%BC&stock=1');
  await unfold();
  const first = group.getByRole('link').nth(1);
  const found = Number((await first.innerText()).match(/(\d+)\s*$/)?.[1]);
  expect(found).toBeGreaterThan(0);
  await expect(group.getByRole('link').first()).toHaveAttribute('aria-current', 'true');
  await first.click();
  await expect(page).toHaveURL(/\/search\?q=%E7%A4%BC&category=[^&]+&stock=1$/);
  await expect(total).toHaveText(t('catalog.total').replace('{n}', String(found)));
  await expect(list.getByRole('listitem')).toHaveCount(Math.min(found, 24));
  await expect(chosen.getByRole('link')).toHaveCount(3);
  await expect(shopper.heading('“礼”的结果')).toBeVisible();
  await expect(page.locator('head meta[name=robots]')).toHaveAttribute('content', /noindex/);

  await test.step('the other filters keep the category', async () => {
    await unfold();
    await expect(first).toHaveAttribute('aria-current', 'true');
    await page.getByRole('checkbox', { name: t('catalog.in_stock') }).uncheck();
    if (!shopper.js) await page.getByRole('button', { name: t('catalog.apply') }).click();
    await expect(page).toHaveURL(/\/search\?q=%E7%A4%BC&category=[^&]+(&min=&max=)?$/);
  });

  await test.step('and it is given up like them', async () => {
    await chosen.getByRole('link').first().click();
    await expect(page).toHaveURL(/\/search\?q=%E7%A4%BC$/);
    await expect(chosen).toHaveCount(0);
  });

  await test.step('all products lead to the page of a category', async () => {
    await shopper.open('/search');
    await unfold();
    await group.getByRole('link').nth(1).click();
    await expect(page).toHaveURL(/\/c\/[^?]+$/);
    await expect(page.getByRole('navigation', { name: t('catalog.sub_categories') })).toBeVisible();
  });
});

test('what does not exist has a page and a status that say so', async ({ shopper, page, guard }) => {
  guard.allow(/status of 404/);
  for (const path of ['/nowhere', '/p/unicorn', '/c/unicorns']) {
    const response = await page.goto(path);
    expect(response?.status(), path).toBe(404);
    await expect(shopper.heading('页面不存在')).toBeVisible();
  }
  await shopper.main.getByRole('link', { name: '回首页' }).click();
  await expect(page).toHaveURL(/\/$/);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('把日子过得');
});

/** A variant beside which a combination is missing: the option and its value that was never made. */
function gap(product: Product): { variant: Product['variants'][number]; option: number; value: number } {
  for (const variant of product.variants) {
    for (const [option, { values }] of product.options.entries()) {
      for (const value of values.keys()) {
        const wanted = variant.choices.map((choice, i) => (i === option ? value : choice));
        if (!product.variants.some((other) => String(other.choices) === String(wanted))) return { variant, option, value };
      }
    }
  }
  throw new Error(`${product.handle} is made in every combination`);
}

test('a combination that is not made or sold out is shown as such', async ({ shopper, page, office, mine }) => {
  const product = await office.product(mine('linen-midi-dress', 'silk-blend-blouse'));
  const { variant, option, value } = gap(product);
  const { name, values } = product.options[option];
  await office.setStock(variant, 20);
  const other = product.variants.find((other) => other.choices.every((choice, i) => (choice === variant.choices[i]) !== (i === option)));
  if (!other) throw new Error('no neighbour');
  await office.setStock(other, 0);

  await shopper.open(`/p/${product.handle}?v=${variant.id}`);
  const group = page.getByRole('radiogroup', { name });
  const radio = (text: string) => group.getByRole('radio', { name: new RegExp(`^${escape(text)}( |$)`) });
  await expect(radio(values[variant.choices[option]])).toBeChecked();
  await expect(radio(values[value])).toContainText('无此组合');
  await expect(radio(values[other.choices[option]])).toContainText('缺货');

  await test.step('sold out can be looked at, not bought', async () => {
    await radio(values[other.choices[option]]).click();
    await expect(page.getByText('这款暂时缺货')).toBeVisible();
    await expect(page.getByRole('button', { name: '暂时缺货' })).toBeDisabled();
    await expect(page.getByRole('button', { name: '加入购物车' })).toHaveCount(0);
  });

  await test.step('what is not made leads to what is', async () => {
    await shopper.open(`/p/${product.handle}?v=${variant.id}`);
    await radio(values[value]).click();
    await expect(radio(values[value])).toBeChecked();
    await expect(radio(values[value])).not.toContainText('无此组合');
  });
});

test('machines find every product, and read what it is', async ({ shopper, page, office, request, baseURL }) => {
  const product = await office.product('x1-smartphone');
  await test.step('sitemap and robots', async () => {
    const sitemap = await request.get('/sitemap.xml');
    expect(sitemap.headers()['content-type']).toContain('xml');
    const addresses = [...(await sitemap.text()).matchAll(/<loc>([^<]+)<\/loc>/g)].map(([, address]) => address);
    expect(addresses).toContain(`${baseURL}/p/x1-smartphone`);
    expect(addresses).toContain(`${baseURL}/c/${encodeURIComponent(product.breadcrumbs[0][0])}`);
    expect(addresses.filter((address) => address.includes('/p/')).length).toBeGreaterThanOrEqual(80);
    expect(await (await request.get('/robots.txt')).text()).toContain(`Sitemap: ${baseURL}/sitemap.xml`);
  });

  await test.step('the product page', async () => {
    await shopper.open(`/p/x1-smartphone?v=${product.variants[1].id}`);
    await expect(page).toHaveTitle(/ · 下单$/);
    const head = (selector: string) => page.locator(`head ${selector}`);
    await expect(head('link[rel=canonical]')).toHaveAttribute('href', `${baseURL}/p/x1-smartphone`);
    await expect(head('meta[name=description]')).toHaveAttribute('content', /\S{10}/);
    await expect(head('meta[name=robots][content*=noindex]')).toHaveCount(0);
    const data = JSON.parse((await page.locator('script[type="application/ld+json"]').textContent()) ?? '');
    const [thing, way] = data['@graph'];
    expect(thing).toMatchObject({ '@type': 'ProductGroup', name: product.title, brand: { name: product.brand } });
    expect(thing.hasVariant).toHaveLength(product.variants.length);
    for (const [i, { id, sku, price }] of product.variants.entries()) {
      const offer = { priceCurrency: 'CNY', price: (price / 100).toFixed(2), url: `${baseURL}/p/x1-smartphone?v=${id}` };
      expect(thing.hasVariant[i]).toMatchObject({ '@type': 'Product', sku, offers: { '@type': 'Offer', ...offer } });
    }
    await expect(head('meta[property="og:image"]')).toHaveAttribute('content', new RegExp(`^${escape(baseURL ?? '')}/media/`));
    expect(way['@type']).toBe('BreadcrumbList');
    await expect(shopper.main.getByText(money(product.variants[1].price)).first()).toBeVisible();
  });

  await test.step('pages that are nobody’s business', async () => {
    for (const path of ['/search?q=a', '/cart', '/orders', '/me']) {
      await page.goto(path);
      await expect(page.locator('head meta[name=robots]')).toHaveAttribute('content', /noindex/);
    }
  });
});
