// What all browser tests share: the shop's words, the office's door, a customer who knows the way, and a guard that
// lets no error in the console pass.

import { readFileSync, readdirSync } from 'node:fs';
import {
  type APIRequestContext, type APIResponse, type BrowserContext, type Locator, type Page, type Response, test as base, expect,
  request as http,
} from '@playwright/test';

export { expect };

export type Language = 'zh-CN' | 'en';
/** A text of the interface by `room.key`, as `locales/<language>/<room>.json` has it. */
export type Words = (key: string, values?: Record<string, string | number>) => string;

/** All texts of a language by `room.key`. */
export function texts(language: Language): Record<string, string> {
  const folder = new URL(`../locales/${language}/`, import.meta.url);
  const rooms = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const pairs = rooms.flatMap((name) => {
    const room = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, string>;
    return Object.entries(room).map(([key, text]) => [`${name.replace('.json', '')}.${key}`, text]);
  });
  return Object.fromEntries(pairs);
}

export function words(language: Language): Words {
  const all = texts(language);
  return (key, values = {}) => {
    const text = all[key];
    if (text === undefined) throw new Error(`there is no text ${key}`);
    return text.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
  };
}

/** Matches exactly one of some texts. */
export function oneOf(...choices: string[]): RegExp {
  return new RegExp(`^(${choices.map(escape).join('|')})$`);
}

export function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** An amount in minor units as pages show it. */
export function money(minor: number): string {
  return `¥${(minor / 100).toLocaleString('en-US', { minimumFractionDigits: 2 })}`;
}

/** An order number as pages show it. */
export function grouped(number: string): string {
  return number.replace(/(\d{4})(?=\d)/g, '$1 ');
}

export interface Variant {
  id: string;
  sku: string;
  choices: number[];
  price: number;
  available: number;
}

export interface Product {
  id: string;
  handle: string;
  title: string;
  brand: string;
  options: { name: string; values: string[] }[];
  variants: Variant[];
  breadcrumbs: [string, string][];
}

interface OfficeVariant {
  variant_id: string;
  on_hand: number;
  held: number;
  version: number;
  stock_version: number;
}

export const LOGIN = 'lin';
export const PASSWORD = 'correct horse battery';

/** The people of the shop, through the server functions that the office's pages use. */
export class Office {
  private constructor(private readonly api: APIRequestContext) {}

  static async signIn(baseURL: string): Promise<Office> {
    const api = await http.newContext({ baseURL, extraHTTPHeaders: { origin: new URL(baseURL).origin, accept: 'application/json' } });
    const office = new Office(api);
    await office.post('sign_in', { login: LOGIN, password: PASSWORD });
    return office;
  }

  async product(handle: string, language: Language = 'zh-CN'): Promise<Product> {
    return answer(await this.api.get('/api/catalog/product', { params: { handle }, headers: { 'accept-language': language } }));
  }

  /** Sets how many pieces of a variant can be bought. */
  async setStock(variant: Variant, available: number): Promise<void> {
    const { on_hand, held, stock_version } = await this.variant(variant);
    await this.post('adjust_stock', {
      variant_id: variant.id, version: stock_version, seen: on_hand, on_hand: held + available,
    });
  }

  /** How many pieces of a variant can be bought. */
  async stock(variant: Variant): Promise<number> {
    const { on_hand, held } = await this.variant(variant);
    return on_hand - held;
  }

  /** Sets the price of a variant, in minor units. */
  async setPrice(variant: Variant, price: number): Promise<void> {
    const { version } = await this.variant(variant);
    await this.post('set_price', { variant_id: variant.id, version, price: (price / 100).toFixed(2), compare_at: '' });
  }

  async ship(number: string, carrier: string, tracking: string): Promise<void> {
    await this.post('ship', { number, carrier, tracking_number: tracking });
  }

  /** A product of which the first variant that can be chosen has enough for everybody. */
  async stocked(handle: string, available = 500): Promise<{ product: Product; variant: Variant }> {
    const product = await this.product(handle);
    const variant = product.variants[0];
    await this.setStock(variant, available);
    return { product, variant };
  }

  async close(): Promise<void> {
    await this.api.dispose();
  }

  private async variant(variant: Variant): Promise<OfficeVariant> {
    const found = await answer<{ items: OfficeVariant[] }>(
      await this.api.get('/api/office/variants', { params: { q: variant.sku, page: 1 } }),
    );
    const row = found.items.find((item) => item.variant_id === variant.id);
    if (!row) throw new Error(`the office does not know ${variant.sku}`);
    return row;
  }

  private async post(name: string, form: Record<string, string | number>): Promise<void> {
    await answer(await this.api.post(`/api/office/${name}`, { form }));
  }
}

async function answer<T>(response: APIResponse): Promise<T> {
  if (!response.ok()) throw new Error(`${response.url()}: ${response.status()} ${await response.text()}`);
  return response.json();
}

/** Fails a test in which any page wrote an error to its console or threw one: broken hydration and scripts refused by
 * the content security policy show there. */
export class Guard {
  private readonly problems: string[] = [];
  private readonly allowed: RegExp[] = [];

  watch(context: BrowserContext): void {
    context.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(`${message.page()?.url()}: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.problems.push(`${error.page()?.url()}: ${error.error().stack}`));
  }

  /** Browsers write every refused request to the console; a test that provokes one says which. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  check(): void {
    const left = this.problems.filter((problem) => !this.allowed.some((pattern) => pattern.test(problem)));
    expect(left, 'errors in the console').toEqual([]);
  }
}

/** Who receives an order. */
export interface Recipient {
  recipient: string;
  phone: string;
  detail: string;
  region: [province: string, city: string, district: string];
}

const PEOPLE: Record<Language, Recipient> = {
  'zh-CN': { recipient: '王小明', phone: '13800138000', detail: '科技南路 12 号 3 栋 501', region: ['广东省', '深圳市', '南山区'] },
  en: { recipient: 'Ming Wang', phone: '13800138000', detail: '12 Keji South Road, 3-501', region: ['Guangdong', 'Shenzhen', 'Nanshan'] },
};

/** What the sandbox cashier offers. */
export type Outcome = 'success' | 'failure' | 'slow' | 'twice';

/** Pages that open the live feed once the client has taken them over. */
const LIVE = /^\/(p\/|cart|checkout|pay\/|orders\/\d)/;

/** A customer at a browser of their own. */
export class Shopper {
  readonly t: Words;
  readonly who: Recipient;

  constructor(
    readonly page: Page,
    readonly language: Language,
    /** Whether the browser runs scripts. */
    readonly js: boolean,
  ) {
    this.t = words(language);
    this.who = PEOPLE[language];
  }

  get main(): Locator {
    return this.page.getByRole('main');
  }

  heading(name: string): Locator {
    return this.page.getByRole('heading', { name, level: 1, exact: true });
  }

  /** Opens a page; one that is live is alive then. */
  async open(path: string): Promise<Response | null> {
    return this.alive(path, () => this.page.goto(path));
  }

  async reload(): Promise<void> {
    await this.alive(new URL(this.page.url()).pathname, () => this.page.reload());
  }

  private async alive<T>(path: string, load: () => Promise<T>): Promise<T> {
    const follows = this.js && LIVE.test(path);
    const feed = follows ? this.page.waitForResponse((response) => response.url().includes('/live?')) : undefined;
    const [loaded] = await Promise.all([load(), feed]);
    return loaded;
  }

  /** Waits for what comes by itself with script, and after loading the page again without. */
  async sees(what: Locator): Promise<void> {
    if (this.js) return expect(what).toBeVisible();
    await expect(async () => {
      await this.page.reload();
      await expect(what).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 15_000 });
  }

  /** Puts a product into the cart on its page. */
  async addToCart(handle: string, quantity = 1, variant?: Variant): Promise<void> {
    const { page, t } = this;
    await this.open(`/p/${handle}${variant ? `?v=${variant.id}` : ''}`);
    if (quantity > 1) await page.getByRole('spinbutton', { name: t('common.quantity') }).fill(String(quantity));
    await page.getByRole('button', { name: t('catalog.add_to_cart') }).click();
    await this.added();
  }

  /** After "add to cart": a message with script, the cart without. */
  async added(): Promise<void> {
    if (this.js) await expect(this.page.getByText(this.t('catalog.added'))).toBeVisible();
    else await expect(this.page).toHaveURL(/\/cart$/);
  }

  /** Fills the checkout form. */
  async fillCheckout(who: Recipient = this.who): Promise<void> {
    await this.field('recipient').fill(who.recipient);
    await this.field('phone').fill(who.phone);
    await this.chooseRegion(...who.region);
    await this.field('detail').fill(who.detail);
  }

  /** A text field of the checkout form. */
  field(name: 'recipient' | 'phone' | 'email' | 'detail' | 'note'): Locator {
    return this.page.getByRole('textbox', { name: this.t(`checkout.${name}`) });
  }

  /** A select of the address. */
  select(name: 'province' | 'city' | 'district'): Locator {
    return this.page.getByRole('combobox', { name: this.t(`checkout.${name}`) });
  }

  async chooseRegion(province: string, city: string, district: string): Promise<void> {
    const show = async () => {
      if (!this.js) await this.page.getByRole('button', { name: this.t('checkout.show_divisions') }).click();
    };
    await this.select('province').selectOption(province);
    await show();
    await this.select('city').selectOption(city);
    await show();
    await this.select('district').selectOption(district);
  }

  /** From the checkout form to the review. */
  async next(): Promise<void> {
    await this.page.getByRole('button', { name: oneOf(this.t('checkout.next'), this.t('checkout.next_short')) }).click();
  }

  /** From the review to the payment; answers with the order's number. */
  async submit(): Promise<string> {
    await this.page.getByRole('button', { name: this.t('checkout.submit') }).click();
    return this.placed();
  }

  /** The number of the order whose payment page is open. */
  async placed(): Promise<string> {
    await expect(this.page).toHaveURL(/\/pay\/\d{16}$/);
    const number = new URL(this.page.url()).pathname.slice('/pay/'.length);
    await expect(this.page.getByText(grouped(number))).toBeVisible();
    return number;
  }

  /** Everything from a filled cart to an order to be paid. */
  async placeOrder(): Promise<string> {
    await this.open('/checkout');
    await this.fillCheckout();
    await this.next();
    await expect(this.heading(this.t('checkout.review_title'))).toBeAttached();
    return this.submit();
  }

  /** From the payment page or the order's page to the cashier, and back with an outcome. */
  async pay(outcome: Outcome): Promise<void> {
    const { page, t } = this;
    const labels = ['checkout.pay_now', 'checkout.pay_again', 'order.pay_now', 'order.pay_again'].map((key) => t(key, { amount: '' }).trim());
    await page.getByRole('button', { name: new RegExp(`^(${labels.map(escape).join('|')})`) }).click();
    await expect(page.getByRole('heading', { name: t('payment.cashier_title') })).toBeVisible();
    await page.getByRole('button', { name: t(`payment.cashier_${outcome}`), exact: true }).click();
    await expect(page).toHaveURL(/\/orders\/\d{16}$/);
  }

  /** Clicks what asks before it does something, and says yes. */
  async confirm(trigger: string, title: string, yes: string): Promise<void> {
    const { page } = this;
    await page.getByRole('link', { name: trigger, exact: true }).click();
    // A dialog with script; a part of the page without.
    const asked = page.getByRole('dialog', { name: title }).or(page.getByRole('region', { name: title }));
    await asked.getByRole('button', { name: yes, exact: true }).click();
  }

  // What follows leaves the pages out, for tests that are about what comes after.

  /** Puts pieces of a variant into the cart. */
  async put(variant: Variant, quantity = 1): Promise<void> {
    await this.post('cart/add', { variant_id: variant.id, quantity });
  }

  /** Keeps the address of this customer, as the checkout form would. */
  async keepAddress(who: Recipient = this.who): Promise<void> {
    const { recipient, phone, detail } = who;
    const form = {
      recipient, phone, detail, country_code: '+86', email: '', province: '440000', city: '440300', district: '440305',
      delivery_wish: 'any_time', note: '', payment_method: 'alipay',
    };
    await this.post('order/save_checkout', Object.fromEntries(Object.entries(form).map(([name, value]) => [`form[${name}]`, value])));
  }

  /** An order to be paid. */
  async order(variant: Variant, quantity = 1): Promise<string> {
    await this.put(variant, quantity);
    await this.keepAddress();
    const review = await (await this.page.request.get('/checkout/review', { headers: this.headers() })).text();
    const hidden = (name: string) => {
      const input = review.match(new RegExp(`<input[^>]*name="${name}"[^>]*>`))?.[0].match(/value="([\w-]+)"/);
      if (!input) throw new Error(`the review has no ${name}`);
      return input[1];
    };
    return this.post('order/submit', {
      cart_version: hidden('cart_version'), total: hidden('total'), reviewed: hidden('reviewed'),
    });
  }

  /** An order that is paid. */
  async paidOrder(variant: Variant, quantity = 1): Promise<string> {
    const number = await this.order(variant, quantity);
    const cashier = await this.post<string>('order/pay', { number });
    const paid = await this.page.request.post(cashier, { form: { outcome: 'success' } });
    expect(paid.ok()).toBe(true);
    return number;
  }

  /** How many orders this customer has. */
  async orders(): Promise<number> {
    const counts = await answer<Record<string, number>>(await this.page.request.get('/api/order/counts'));
    return Object.values(counts).reduce((sum, n) => sum + n, 0);
  }

  async post<T>(name: string, form: Record<string, string | number>): Promise<T> {
    return answer(await this.page.request.post(`/api/${name}`, { form, headers: { ...this.headers(), accept: 'application/json' } }));
  }

  /** What the browser would say of itself. */
  private headers(): Record<string, string> {
    return { origin: new URL(this.baseURL).origin, 'accept-language': this.language };
  }

  baseURL = '';
}

interface Fixtures {
  guard: Guard;
  language: Language;
  t: Words;
  /** The customer at `page`. */
  shopper: Shopper;
  /** Another customer, at a browser of their own. */
  another: () => Promise<Shopper>;
  /** Tests of all projects run at the same time in one shop: each takes a product or a login of its own from the list, in
   * the order of the projects. */
  mine: (...names: string[]) => string;
}

const PROJECTS = ['phone', 'phone without JavaScript', 'desktop', 'desktop English', 'desktop without JavaScript', 'phone English'];

export const test = base.extend<Fixtures, { office: Office }>({
  office: [
    async ({}, use, workerInfo) => {
      const office = await Office.signIn(workerInfo.project.use.baseURL ?? '');
      await use(office);
      await office.close();
    },
    { scope: 'worker' },
  ],
  guard: async ({}, use) => {
    const guard = new Guard();
    await use(guard);
    guard.check();
  },
  context: async ({ context, guard }, use) => {
    guard.watch(context);
    await use(context);
  },
  language: async ({ locale }, use) => use(locale?.startsWith('en') ? 'en' : 'zh-CN'),
  t: async ({ language }, use) => use(words(language)),
  shopper: async ({ page, language, javaScriptEnabled, baseURL }, use) => {
    await use(shopper(page, language, javaScriptEnabled, baseURL));
  },
  another: async ({ browser, guard, language, javaScriptEnabled, baseURL }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext();
      contexts.push(context);
      guard.watch(context);
      return shopper(await context.newPage(), language, javaScriptEnabled, baseURL);
    });
    for (const context of contexts) await context.close();
  },
  mine: async ({}, use, testInfo) => {
    await use((...names) => {
      const name = names[PROJECTS.indexOf(testInfo.project.name)];
      if (!name) throw new Error(`nothing for ${testInfo.project.name}`);
      return name;
    });
  },
});

function shopper(page: Page, language: Language, js = true, baseURL = ''): Shopper {
  const shopper = new Shopper(page, language, js);
  shopper.baseURL = baseURL;
  return shopper;
}
