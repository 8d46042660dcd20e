import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { ENV_DIR, readChoices } from './scripts/choices.mjs';

// Threads in WebAssembly need a page that is isolated from others. The service and nginx send the same headers.
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const SERVICE = process.env.PIXELMEND_DEV_SERVICE ?? 'http://127.0.0.1:8000';

export default defineConfig(({ mode }) => ({
  plugins: [react(), buildRecord(readChoices(mode))],
  // The .env of the checkout, which the service reads as well. Only what begins with VITE_ gets into the app.
  envDir: ENV_DIR,
  envPrefix: 'VITE_',
  // Relative addresses: the page may be a part of another site, as https://example.org/pixelmend/.
  base: './',
  // Fonts, images and workers must be files of their own, since the content security policy allows no data: scripts.
  build: {
    target: 'es2022',
    // These browsers know light-dark(). For older ones it would be rewritten into styles that Mantine cannot switch.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  worker: { format: 'es' },
  server: {
    headers: ISOLATION,
    proxy: Object.fromEntries(['/api', '/readyz', '/livez'].map((path) => [path, SERVICE])),
  },
  preview: { headers: ISOLATION },
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    environment: 'node',
    // The machines that run the tests are small, and the service's own tests may run at the same time.
    maxWorkers: 2,
  },
}));

function buildRecord(source: string): Plugin {
  return {
    name: 'build-record',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'build.json', source });
    },
  };
}
