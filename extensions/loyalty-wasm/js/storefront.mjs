// `node storefront.mjs FOLDER`: the rules as assets of a theme app extension, whose files lie beside each other.

import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [assets] = process.argv.slice(2);
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

await build({
  entryPoints: { 'loyalty-js': here('js.js'), 'loyalty-wasm': here('wasm.js') },
  outdir: assets,
  bundle: true,
  format: 'esm',
  target: 'es2020',
  minify: true,
  logLevel: 'error',
});
await copyFile(here('built/storefront.wasm'), path.join(assets, 'loyalty.wasm'));
