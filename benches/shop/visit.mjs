// What the start page costs a browser that has never been here: `node visit.mjs URL ENCODING`, run where Playwright is
// installed. Prints the bytes of each kind of response as they came over the wire, heads included, as JSON.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [url, encoding] = process.argv.slice(2);
const { chromium, devices } = createRequire(join(process.cwd(), 'package.json'))('@playwright/test');
const browsers = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
const executablePath = browsers.map((name) => `/usr/bin/${name}`).find(existsSync);
// Like the browser tests: pictures are loaded from as far below as on 4G.
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--blink-settings=lazyLoadingImageMarginPxUnknown=1250'];
const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage({ ...devices['Pixel 7'], locale: 'zh-CN', serviceWorkers: 'block' });
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  await network.send('Network.setExtraHTTPHeaders', { headers: { 'Accept-Encoding': encoding } });
  const kinds = new Map();
  const bytes = {};
  network.on('Network.responseReceived', ({ requestId, type, response }) => {
    kinds.set(requestId, response.mimeType === 'application/wasm' ? 'wasm' : type.toLowerCase());
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId) ?? 'other';
    bytes[kind] = (bytes[kind] ?? 0) + encodedDataLength;
  });
  // The live feed never ends, so there is no idle network to wait for.
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForTimeout(3_000);
  console.log(JSON.stringify(bytes));
} finally {
  await browser.close();
}
