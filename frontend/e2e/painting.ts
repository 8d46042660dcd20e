import type { Page } from '@playwright/test';

/** Draws a line with the tool that is chosen, between two places of the canvas, each from 0 to 1. */
export async function draw(page: Page, from: [number, number], to: [number, number]): Promise<void> {
  const box = await page.getByTestId('inpaint-canvas').boundingBox();
  if (!box) throw new Error('there is no canvas');
  const at = ([x, y]: [number, number]) => [box.x + box.width * x, box.y + box.height * y] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 4 });
  await page.mouse.up();
}
