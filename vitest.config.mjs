// Unit tests of what shoppers see, in Shopify's own tester: `npx vitest run`, or `cargo xtask test`.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  resolve: {
    alias: { 'loyalty-wasm/checkout': new URL('rewards-ui/tests/given.js', import.meta.url).pathname },
  },
  test: {
    environment: 'jsdom',
    include: ['rewards-ui/tests/**/*.test.{js,jsx}', 'extensions/{*,probe/*}/tests/**/*.test.{js,jsx}'],
    // It loads the extension under test, which must be compiled as the test is.
    server: { deps: { inline: [/ui-extensions-tester/] } },
  },
});
