// An authenticator app, as people have one on their phone: RFC 6238 with HMAC-SHA-1, 30 seconds and 6 digits.

import { createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_MS = 30_000;

export class Phone {
  private readonly secret: Buffer;
  private last = 0;

  /** Takes over the key that a page shows, in groups or not. */
  constructor(key: string) {
    const bits = [...key.replace(/\s/g, '')].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, '0')).join('');
    this.secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  }

  /** A code of a time step that was not used before; waits for it where the clock has to go on first. */
  async code(): Promise<string> {
    // One step ahead is taken too: clocks differ.
    const step = Math.max(this.last + 1, Math.floor(Date.now() / STEP_MS));
    const wait = (step - 1) * STEP_MS - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait + 500));
    this.last = step;
    return this.of(step);
  }

  /** A code that is not the one of now, nor of the steps around it. */
  wrong(): string {
    const step = Math.floor(Date.now() / STEP_MS);
    const right = [-2, -1, 0, 1, 2].map((off) => this.of(step + off));
    return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code)) ?? '';
  }

  private of(step: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const hash = createHmac('sha1', this.secret).update(counter).digest();
    const offset = (hash.at(-1) ?? 0) & 15;
    return String((hash.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
  }
}
