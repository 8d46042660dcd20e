import { readFile } from 'node:fs/promises';
import { type Download, expect, type Locator, type Page, test as base } from '@playwright/test';
import { Service } from './service';

/** A busy machine may need minutes for what takes seconds on an idle one. */
const LONGEST_MS = 240_000;

const OF_THE_BROWSER = /^(Failed to load resource|The Cross-Origin-Opener-Policy header has been ignored)/;

export interface Given {
  name: string;
  buffer: Buffer;
}

/** The app in a page, as a user sees it. */
class App {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(service: Service, tab = 'upscale'): Promise<void> {
    await this.page.goto(`${service.url}/#${tab}`);
    await expect(this.page.getByTestId('mode')).toHaveAttribute('data-mode', 'server');
    await expect(this.page.locator(`nav a[href="#${tab}"]`)).toHaveAttribute('aria-current', 'page');
    // A section is loaded when it is first shown.
    await expect(this.page.locator('main section[aria-label]')).toBeVisible();
  }

  async pick(button: string, ...files: Given[]): Promise<void> {
    const chooser = this.page.waitForEvent('filechooser');
    await this.page.getByRole('button', { name: button, exact: true }).first().click();
    await (await chooser).setFiles(files.map((file) => ({ ...file, mimeType: 'image/png' })));
  }

  row(name: string): Locator {
    return this.page.getByTestId('queue').getByRole('listitem').filter({ hasText: name });
  }

  async expectState(name: string, state: string): Promise<void> {
    await expect(this.row(name)).toHaveAttribute('data-state', state, { timeout: LONGEST_MS });
  }

  start(): Promise<void> {
    return this.page.getByTestId('start').click();
  }

  async saved(act: () => Promise<unknown>): Promise<{ name: string; data: Buffer }> {
    const download = this.page.waitForEvent('download');
    await act();
    const file: Download = await download;
    return { name: file.suggestedFilename(), data: await readFile(await file.path()) };
  }
}

interface Fixtures {
  app: App;
  /** Errors of the page itself. Each test checks that there were none. */
  problems: string[];
}

interface WorkerFixtures {
  service: Service;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  service: [
    async ({}, use) => {
      const service = await Service.start();
      await use(service);
      await service.dispose();
    },
    { scope: 'worker' },
  ],
  problems: [
    async ({ page }, use) => {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        // The browser itself logs answers that are no success, and headers that count only with HTTPS.
        if (message.type() === 'error' && !OF_THE_BROWSER.test(message.text())) {
          problems.push(message.text());
        }
      });
      await use(problems);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
  app: async ({ page }, use) => {
    await use(new App(page));
  },
});

export { expect };
