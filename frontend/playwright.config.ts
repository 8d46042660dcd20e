import { defineConfig } from '@playwright/test';

/** The browser of the system; none is downloaded. scripts/make.sh finds it. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: 'e2e',
  // Each worker starts a service that computes, and two cores are enough for one.
  workers: 1,
  // Some tests restart their service, which takes long on a busy machine.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    launchOptions: {
      executablePath: CHROMIUM,
      // Pages of localhost may do more than those of another machine by plain HTTP (e2e/plainHttp.spec.ts).
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP nas 127.0.0.1'],
    },
    trace: 'retain-on-failure',
  },
});
