import { existsSync } from 'node:fs';
import { defineConfig, devices } from '@playwright/test';

// The browser of the system: Playwright's own download is not needed. The one without windows is the quickest.
const chromium = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`).find(existsSync);
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // The one without windows does not judge its connection, and then loads pictures from further below than on 4G.
  '--blink-settings=lazyLoadingImageMarginPxUnknown=1250',
];
export const PORT = Number(process.env.XIADAN_TEST_PORT ?? 4300);

const phone = { ...devices['Pixel 7'], viewport: { width: 390, height: 844 }, deviceScaleFactor: 1, locale: 'zh-CN' };
const desktop = { ...devices['Desktop Chrome'], viewport: { width: 1280, height: 800 }, locale: 'zh-CN' };

// Every spec runs on the phone. A spec named `*.hydrate.spec.ts` needs the client, and so do those that look at a page
// from inside; every other journey also passes without JavaScript. The desktop runs what differs there, and all bookings;
// English what differs there.
const NEEDS_SCRIPT = ['**/*.hydrate.spec.ts', '**/a11y.spec.ts', '**/i18n.spec.ts'];
const ENGLISH = ['**/*.english.spec.ts'];

export default defineConfig({
  testDir: '.',
  timeout: 90_000,
  expect: { timeout: 10_000 },
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  retries: 0,
  workers: 2,
  reporter: process.env.CI ? [['list']] : [['list'], ['html', { open: 'never' }]],
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    launchOptions: { executablePath: chromium, args: flags },
    timezoneId: 'Asia/Shanghai',
    screenshot: 'only-on-failure',
    // Recording every step costs as much as some of them, and nobody opens the record of a machine that is gone.
    trace: process.env.CI ? 'off' : 'retain-on-failure',
  },
  projects: [
    { name: 'phone', use: phone, testIgnore: ['**/office/*', ...ENGLISH] },
    {
      name: 'desktop',
      use: desktop,
      testMatch: [
        '**/journey.spec.ts', '**/office/*.spec.ts', '**/a11y.spec.ts', '**/race.hydrate.spec.ts', '**/cart.hydrate.spec.ts',
        '**/offline.hydrate.spec.ts', '**/product.hydrate.spec.ts', '**/booking/*.spec.ts',
      ],
    },
    { name: 'phone without JavaScript', use: { ...phone, javaScriptEnabled: false }, testIgnore: [...NEEDS_SCRIPT, ...ENGLISH, '**/office/*'] },
    { name: 'desktop without JavaScript', use: { ...desktop, javaScriptEnabled: false }, testMatch: ['**/journey.spec.ts', '**/office/*.spec.ts', '**/booking/*.spec.ts'] },
    { name: 'phone English', use: { ...phone, locale: 'en-GB' }, testMatch: ['**/journey.spec.ts', ...ENGLISH] },
    { name: 'desktop English', use: { ...desktop, locale: 'en-GB' }, testMatch: '**/journey.spec.ts' },
  ],
  webServer: {
    command: 'bash serve.sh',
    url: `http://127.0.0.1:${PORT}/readyz`,
    timeout: 120_000,
    // So that serve.sh can tidy up behind itself.
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
    stdout: 'ignore',
    stderr: 'pipe',
    env: { XIADAN_TEST_PORT: String(PORT) },
  },
});
