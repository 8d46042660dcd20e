import type { Page } from '@playwright/test';

/** The labels of buttons that are longer than the room they have. */
export function cutOff(page: Page): Promise<string[]> {
  return page
    .locator('button span, a span')
    .evaluateAll((labels) =>
      labels
        .filter(
          (label) => label.scrollWidth > label.clientWidth && getComputedStyle(label).overflowX === 'hidden',
        )
        .map((label) => label.textContent.trim()),
    );
}

/** By how many pixels the page is higher than the window. */
export function surplusPx(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight);
}
