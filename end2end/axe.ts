// What axe finds on a page.

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './support.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** How `look` wants the browser: without the first the pages' content security policy refuses its style sheet. */
export const STILL = { bypassCSP: true, contextOptions: { reducedMotion: 'reduce' as const } };

/** Looks at the page as it is now. Only colours differ between light and dark. */
export async function look(page: Page, name: string, schemes: readonly ('light' | 'dark')[] = ['light', 'dark']): Promise<void> {
  await test.step(name, async () => {
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    // A page that was just taken over by the client is for a moment without.
    await expect(page).toHaveTitle(/\S/);
    // Bars that stick to an edge cover links at some scroll positions, which axe would take for links too small.
    await page.addStyleTag({ content: '.tabbar,.actionbar,.site-header,.toasts{position:static!important}' });
    const found: unknown[] = [];
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      // Even the shortest transition from the other colours takes a frame.
      await page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
      const axe = new AxeBuilder({ page }).setLegacyMode();
      const { violations } = await (colorScheme === 'light' ? axe.withTags(RULES) : axe.withRules(['color-contrast'])).analyze();
      found.push(...violations.map(({ id, nodes }) => ({ colorScheme, id, nodes: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`) })));
    }
    await page.emulateMedia({ colorScheme: 'light' });
    expect.soft(found, name).toEqual([]);
  });
}
