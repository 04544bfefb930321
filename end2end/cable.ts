// A network that can be cut. The browser's own emulation of being offline ends for the service worker at the next
// navigation (Chromium 148), so tests that open pages without a network pull this cable as well.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { BrowserContext } from '@playwright/test';
import { test as base } from './support.ts';

/** Everything the browser says to the shop goes through here. */
class Cable {
  private readonly sockets = new Set<Socket>();
  private server?: Server;
  private port = 0;

  constructor(private readonly shopPort: number) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connects the shop again, at the same address as before. */
  async plug(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.shopPort, '127.0.0.1');
      for (const [socket, other] of [[near, far], [far, near]]) {
        this.sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    await new Promise<void>((listening, failed) => server.once('error', failed).listen(this.port, '127.0.0.1', listening));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** The network goes away, and the browser is told. */
  async cut(context: BrowserContext): Promise<void> {
    await this.unplug();
    await context.setOffline(true);
  }

  /** The network is back, and the browser is told. */
  async mend(context: BrowserContext): Promise<void> {
    await this.plug();
    await context.setOffline(false);
  }

  /** Ends every connection and lets no new one begin. */
  async unplug(): Promise<void> {
    const server = this.server;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise((done) => server.close(done));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A test whose browser reaches the shop through a cable. */
export const test = base.extend<{ cable: Cable }>({
  cable: async ({}, use, testInfo) => {
    const cable = new Cable(Number(new URL(testInfo.project.use.baseURL ?? '').port));
    await cable.plug();
    await use(cable);
    await cable.unplug();
  },
  baseURL: async ({ cable }, use) => use(cable.url),
});
