// What a first visit costs; `benches/shop/visit.mjs` measures the same.

import { type Browser, devices } from '@playwright/test';
import { expect, test } from '../support.ts';

/** Everything that the start page loads on a phone, in KiB. */
const MOST = 300;

/** Opens the start page in a browser that has never been here; answers with the KiB of each kind of response as they came
 * over the wire, heads included. */
async function visit(browser: Browser): Promise<Record<string, number>> {
  // With the many pixels of a real phone: they choose the pictures.
  const context = await browser.newContext({ ...devices['Pixel 7'], locale: 'zh-CN', serviceWorkers: 'block' });
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  await network.send('Network.setExtraHTTPHeaders', { headers: { 'Accept-Encoding': 'br' } });
  const kinds = new Map<string, string>();
  const loaded: Record<string, number> = {};
  network.on('Network.responseReceived', ({ requestId, type, response }) => {
    kinds.set(requestId, response.mimeType === 'application/wasm' ? 'wasm' : type.toLowerCase());
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId) ?? 'other';
    loaded[kind] = (loaded[kind] ?? 0) + encodedDataLength / 1024;
  });
  await page.goto('/', { waitUntil: 'load' });
  await page.waitForLoadState('networkidle');
  await context.close();
  return loaded;
}

test('a first visit is small', async ({ browser }) => {
  // The small versions of pictures are made when somebody first asks for them.
  await visit(browser);
  const loaded = await visit(browser);
  const parts = Object.entries(loaded).map(([kind, kib]) => `${kind} ${kib.toFixed(1)}`).join(', ');
  expect(loaded.wasm, parts).toBeGreaterThan(0);
  const all = Object.values(loaded).reduce((sum, kib) => sum + kib, 0);
  expect(all, `KiB: ${parts}`).toBeLessThanOrEqual(MOST);
});
