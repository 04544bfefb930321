// The way into an account, as the tests of this folder go it.

import type { APIRequestContext } from '@playwright/test';
import { type Shopper, expect } from '../support.ts';

/** A target that no other test uses. */
export function fresh(): string {
  return `li.${Date.now()}.${Math.random().toString(36).slice(2, 8)}@example.com`;
}

/** A mobile number that no other test uses. */
export function freshPhone(): string {
  return `13${Array.from({ length: 9 }, () => Math.floor(Math.random() * 10)).join('')}`;
}

/** A mobile number as its owner's pages show it. */
export function masked(phone: string): string {
  return `${phone.slice(0, 3)}****${phone.slice(-4)}`;
}

/** The newest code that was sent to a target. */
export async function codeFor(request: APIRequestContext, target: string): Promise<string> {
  const posted = (await (await request.get('/api/account/outbox')).json()) as { to: string; text: string }[];
  const code = posted.find((message) => message.to === target)?.text.match(/\d{6}/)?.[0];
  if (!code) throw new Error(`nothing was sent to ${target}`);
  return code;
}

/** From the sign-in page to the page after it. A phone is written in another way in the outbox than it is typed. */
export async function enter(shopper: Shopper, request: APIRequestContext, target: string, posted = target): Promise<void> {
  const { page, t } = shopper;
  await page.getByRole('textbox', { name: t('account.target') }).fill(target);
  await page.getByRole('button', { name: t('account.send_code') }).click();
  await expect(shopper.heading(t('account.code_title'))).toBeVisible();
  await page.getByRole('checkbox').check();
  // The last digit sends the form where there is a script.
  await page.getByRole('textbox', { name: t('account.code'), exact: true }).pressSequentially(await codeFor(request, posted));
  if (!shopper.js) await page.getByRole('button', { name: t('account.enter'), exact: true }).click();
}
