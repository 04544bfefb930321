// What an account is reached by: added with a code, replaced, and taken away. With script and without.

import type { Locator } from '@playwright/test';
import { type Shopper, expect, test } from '../support.ts';
import { codeFor, enter, fresh, freshPhone, masked } from './sign_in.ts';

const section = ({ page, t }: Shopper): Locator => page.getByRole('region', { name: t('target.title') });

/** Asks for a code to what the account is to be reached by. */
async function begin(shopper: Shopper, target: string): Promise<void> {
  const { t } = shopper;
  await section(shopper).getByRole('textbox', { name: t('target.new') }).fill(target);
  await section(shopper).getByRole('button', { name: t('target.send') }).click();
}

/** Types a code on the page that asks for it; the last digit sends it where there is a script. */
async function type(shopper: Shopper, code: string): Promise<void> {
  const { page, t } = shopper;
  await page.getByRole('textbox', { name: t('target.code'), exact: true }).fill(code);
  if (!shopper.js) await page.getByRole('button', { name: t('target.confirm'), exact: true }).click();
}

test('an e-mail address joins a phone, another phone takes its place, and one goes', async ({ shopper, page, another, request, guard, t }) => {
  guard.allow(/status of 422/);
  const [phone, other, mail] = [freshPhone(), freshPhone(), fresh()];
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, phone, `+86${phone}`);
  const targets = section(shopper);
  await expect(targets).toContainText(masked(phone));
  await expect(targets).toContainText(t('target.not_set'));
  await expect(targets.locator('summary')).toHaveCount(0);

  await test.step('what is wrong is said beside the field, and what was typed stays', async () => {
    await begin(shopper, '12345');
    const field = targets.getByRole('textbox', { name: t('target.new') });
    await expect(field).toHaveAccessibleDescription(new RegExp(t('problem.phone')));
    await expect(field).toHaveValue('12345');
  });

  await begin(shopper, mail);
  await expect(shopper.heading(t('target.code_title'))).toBeVisible();
  await expect(page.getByText('l***@example.com')).toBeVisible();
  const code = await codeFor(request, mail);
  await type(shopper, code === '000000' ? '111111' : '000000');
  const typed = page.getByRole('textbox', { name: t('target.code'), exact: true });
  await expect(typed).toHaveAccessibleDescription(new RegExp(t('problem.code')));
  await type(shopper, code);
  await expect(page.getByText(t('target.saved'))).toBeVisible();
  await expect(targets).toContainText('l***@example.com');
  await expect(targets).toContainText(masked(phone));

  await begin(shopper, other);
  await expect(shopper.heading(t('target.code_title'))).toBeVisible();
  await type(shopper, await codeFor(request, `+86${other}`));
  await expect(page.getByText(t('target.saved'))).toBeVisible();
  await expect(targets).toContainText(masked(other));
  await expect(targets).not.toContainText(masked(phone));
  const told = (await (await request.get('/api/account/outbox')).json()) as { to: string; subject: string }[];
  const subject = t('message.phone_set_subject');
  for (const to of [`+86${phone}`, mail]) expect(told.some((message) => message.to === to && message.subject === subject), to).toBe(true);

  await targets.locator('summary', { hasText: t('target.remove_phone') }).click();
  await targets.getByRole('button', { name: t('target.remove_phone_yes') }).click();
  await expect(page.getByText(t('target.removed'), { exact: true })).toBeVisible();
  await expect(targets).toContainText(t('target.not_set'));
  await expect(targets.locator('summary'), 'the last one stays').toHaveCount(0);

  // The phone that was let go makes an account of its own.
  const stranger = await another();
  // As from another network, so that nobody waits for the minute between two codes.
  await stranger.page.setExtraHTTPHeaders({ 'x-forwarded-for': '192.0.2.7' });
  await stranger.page.goto('/sign-in?to=/me/security');
  await enter(stranger, request, other, `+86${other}`);
  await expect(section(stranger)).not.toContainText('l***@example.com');
});

test('what another account has is told after its code, and no sooner', async ({ shopper, page, another, request, guard, t }) => {
  guard.allow(/status of 422/);
  const [phone, taken] = [freshPhone(), fresh()];
  const owner = await another();
  // As from another network, so that nobody waits for the minute between two codes.
  await owner.page.setExtraHTTPHeaders({ 'x-forwarded-for': '192.0.2.7' });
  await owner.page.goto('/sign-in');
  await enter(owner, request, taken);
  await expect(owner.page).toHaveURL(/\/me$/);

  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, phone, `+86${phone}`);
  await expect(section(shopper)).toContainText(masked(phone));
  await begin(shopper, taken);
  await expect(shopper.heading(t('target.code_title'))).toBeVisible();
  await type(shopper, await codeFor(request, taken));
  const typed = page.getByRole('textbox', { name: t('target.code'), exact: true });
  await expect(typed).toHaveAccessibleDescription(new RegExp(t('problem.taken')));
  await page.getByRole('link', { name: t('target.back') }).click();
  await expect(section(shopper)).toContainText(t('target.not_set'));
});
