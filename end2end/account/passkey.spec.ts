// Passkeys, with the device that Chromium plays by itself. Browsers allow none under an IP address, so the shop is
// visited by its name here.

import type { CDPSession, Page } from '@playwright/test';
import { PORT } from '../playwright.config.ts';
import { type Shopper, expect, test } from '../support.ts';
import { Phone } from './phone.ts';
import { enter, fresh } from './sign_in.ts';

test.use({ baseURL: `http://localhost:${PORT}` });

/** A device with a fingerprint sensor in front of a page. */
class Device {
  private constructor(private readonly cdp: CDPSession, private readonly authenticatorId: string) {}

  static async of(page: Page): Promise<Device> {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new Device(cdp, authenticatorId);
  }

  /** Whether somebody touches it when it asks; what began to wait for a touch before goes on waiting. */
  async touched(enabled: boolean): Promise<void> {
    await this.cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.authenticatorId, enabled });
  }

  /** Whether it knows the finger. */
  async knows(isUserVerified: boolean): Promise<void> {
    await this.cdp.send('WebAuthn.setUserVerified', { authenticatorId: this.authenticatorId, isUserVerified });
  }
}

const section = ({ page, t }: Shopper) => page.getByRole('region', { name: t('passkey.title') });

async function signOut({ page, t }: Shopper): Promise<void> {
  const devices = page.getByRole('region', { name: t('account.devices_title') });
  await devices.getByRole('button', { name: t('account.sign_out'), exact: true }).click();
  await expect(page).toHaveURL(/\/$/);
}

test('a passkey is added, signs in, gets a name and goes', async ({ shopper, page, request, guard, t }) => {
  test.skip(!shopper.js, 'the browser is asked by script');
  guard.allow(/status of 422/);
  const device = await Device.of(page);
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, fresh());
  const passkeys = section(shopper);
  await expect(passkeys.getByText(t('passkey.empty'))).toBeVisible();
  const add = passkeys.getByRole('button', { name: t('passkey.add') });
  await add.click();
  await expect(page.getByText(t('passkey.added'))).toBeVisible();
  await expect(passkeys.getByRole('listitem')).toHaveCount(1);
  await expect(passkeys.getByText(t('passkey.never_used'))).toBeVisible();
  await add.click();
  await expect(passkeys.getByRole('alert')).toHaveText(t('passkey.said_known'));

  await passkeys.getByText(t('passkey.rename')).click();
  await passkeys.getByRole('textbox', { name: t('passkey.name') }).fill('我的手机');
  await passkeys.getByRole('button', { name: t('passkey.save') }).click();
  await expect(passkeys.getByRole('listitem')).toContainText('我的手机');

  await signOut(shopper);
  // The browser also offers it where the name is typed: nobody touches the device before the button was pressed.
  await device.touched(false);
  await page.goto('/sign-in?to=/me/security');
  const enterButton = page.getByRole('button', { name: t('passkey.sign_in') });
  await expect(enterButton).toBeVisible();
  await expect(page.getByRole('textbox', { name: t('account.target') })).toHaveAttribute('autocomplete', 'username webauthn');
  await device.knows(false);
  await device.touched(true);
  // What the browser offers again afterwards would take the finger that is meant for the button.
  let asked = 0;
  await page.route('**/api/passkey/begin_sign_in', (route) => (asked++ === 0 ? route.continue() : route.fulfill({ status: 204 })));
  await enterButton.click();
  await expect(page.getByRole('alert')).toHaveText(t('passkey.said_cancelled'));
  await expect.poll(() => asked).toBe(2);
  await page.unroute('**/api/passkey/begin_sign_in');
  await device.knows(true);
  await enterButton.click();
  await expect(page).toHaveURL(/\/me\/security$/);
  await expect(passkeys.getByText(t('passkey.used_at'))).toBeVisible();

  await passkeys.getByText(t('passkey.remove'), { exact: false }).first().click();
  await passkeys.getByRole('button', { name: t('passkey.remove_yes') }).click();
  await expect(passkeys.getByText(t('passkey.empty'))).toBeVisible();
  await signOut(shopper);
  await device.touched(false);
  // Inside the running client the button is there as well.
  await page.goto('/me');
  await page.getByRole('link', { name: t('account.sign_in_title') }).click();
  await expect(enterButton).toBeVisible();
  await device.touched(true);
  // A device that needs no touch hands the same passkey over as soon as it is asked for one: by the offer that was made when
  // the page came, or by the button, and once more when it is offered again.
  let refused = 0;
  page.on('response', (response) => (refused += Number(response.url().endsWith('/finish_sign_in'))));
  await enterButton.click();
  await expect(page.getByRole('alert')).toHaveText(t('passkey.said_refused'));
  await expect.poll(async () => {
    const before = refused;
    await page.waitForTimeout(500);
    return refused - before;
  }, { message: 'it is not tried for ever' }).toBe(0);
  expect(refused).toBeLessThanOrEqual(4);
});

test('whoever was let in by a password shows anew who this is before a passkey goes', async ({ shopper, page, request, guard, t }) => {
  test.skip(!shopper.js, 'the browser is asked by script');
  guard.allow(/status of 422/);
  const device = await Device.of(page);
  const target = fresh();
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, target);
  await page.getByRole('textbox', { name: t('account.new_password') }).fill('a sentence is fine');
  await page.getByRole('button', { name: t('account.set_password') }).click();
  await expect(page.getByText(t('account.password_saved'))).toBeVisible();
  const passkeys = section(shopper);
  await passkeys.getByRole('button', { name: t('passkey.add') }).click();
  await expect(page.getByText(t('passkey.added'))).toBeVisible();
  await signOut(shopper);

  await device.touched(false);
  await page.goto('/sign-in?with=password&to=/me/security');
  await page.getByRole('textbox', { name: t('account.name_or_target') }).fill(target);
  await page.getByRole('textbox', { name: t('account.password'), exact: true }).fill('a sentence is fine');
  await page.getByRole('button', { name: t('account.sign_in'), exact: true }).click();
  await expect(shopper.heading(t('account.security_title'))).toBeVisible();

  const row = passkeys.getByRole('listitem');
  await row.getByText(t('passkey.remove'), { exact: false }).first().click();
  const password = row.getByRole('textbox', { name: t('passkey.password') });
  const remove = row.getByRole('button', { name: t('passkey.remove_yes') });
  await remove.click();
  await expect(password).toHaveAccessibleDescription(t('problem.required'));
  await expect(password).toBeFocused();
  await password.fill('another sentence');
  await remove.click();
  await expect(password).toHaveAccessibleDescription(t('problem.credentials'));
  await expect(password, 'what was typed stays').toHaveValue('another sentence');
  await password.fill('a sentence is fine');
  await remove.click();
  await expect(passkeys.getByText(t('passkey.empty'))).toBeVisible();
});

test('a passkey completes a sign-in that waits for the second step', async ({ shopper, page, request, t }) => {
  test.skip(!shopper.js, 'the browser is asked by script');
  test.slow();
  const device = await Device.of(page);
  const target = fresh();
  await page.goto('/sign-in?to=/me/security');
  await enter(shopper, request, target);
  await page.getByRole('textbox', { name: t('account.new_password') }).fill('a sentence is fine');
  await page.getByRole('button', { name: t('account.set_password') }).click();
  await expect(page.getByText(t('account.password_saved'))).toBeVisible();
  await section(shopper).getByRole('button', { name: t('passkey.add') }).click();
  await expect(page.getByText(t('passkey.added'))).toBeVisible();
  await page.goto('/me/security/second');
  await page.getByRole('button', { name: t('second.begin') }).click();
  const phone = new Phone(await page.getByRole('group', { name: t('second.key') }).innerText());
  await page.getByRole('textbox', { name: t('second.code') }).fill(await phone.code());
  await page.getByRole('button', { name: t('second.confirm') }).click();
  await page.getByRole('button', { name: t('second.kept') }).click();
  await expect(page.getByRole('heading', { name: t('second.on_title') })).toBeVisible();
  await page.goto('/me/security');
  await signOut(shopper);

  // The browser offers the passkey where the name is typed: nobody touches the device there.
  await device.touched(false);
  await page.goto('/sign-in?with=password&to=/cart');
  await page.getByRole('textbox', { name: t('account.name_or_target') }).fill(target);
  await page.getByRole('textbox', { name: t('account.password'), exact: true }).fill('a sentence is fine');
  await page.getByRole('button', { name: t('account.sign_in'), exact: true }).click();
  await expect(shopper.heading(t('second.sign_in_title'))).toBeVisible();
  const button = page.getByRole('button', { name: t('passkey.complete') });
  await expect(button).toBeVisible();
  await device.knows(false);
  await device.touched(true);
  await button.click();
  await expect(page.getByRole('alert')).toHaveText(t('passkey.said_cancelled'));
  await device.knows(true);
  await button.click();
  await expect(page).toHaveURL(/\/cart$/);
  await page.goto('/me');
  await expect(page.getByText(t('account.hello', { name: 'l***@example.com' }))).toBeVisible();
});

test('where there are no passkeys nothing offers them, and the page says why', async ({ shopper, page, request, t }) => {
  const home = shopper.js ? `http://127.0.0.1:${PORT}` : '';
  await page.goto(`${home}/sign-in?to=/me/security`);
  await expect(page.getByRole('button', { name: t('account.send_code') })).toBeVisible();
  await expect(page.getByRole('button', { name: t('passkey.sign_in') })).toBeHidden();
  await enter(shopper, request, fresh());
  const passkeys = section(shopper);
  const why = shopper.js ? t('passkey.elsewhere', { origin: `http://localhost:${PORT}` }) : t('passkey.no_script');
  await expect(passkeys.getByText(why)).toBeVisible();
  await expect(passkeys.getByRole('button', { name: t('passkey.add') })).toBeHidden();
});
