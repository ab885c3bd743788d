// How large the extensions are that shoppers load, as Shopify counts: `node sizes.mjs FOLDER`, where the bundles are.
//
// Extensions of checkout and accounts may have 64 KB of deflated JavaScript each. What a block of the theme app extension
// names as its script may have 10,000 bytes as it is.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { extensions } from '../ui/bundle.mjs';
import { root } from './builds.mjs';

/** What we allow ourselves. `docs/surfaces.md` tells what the checkout's is made of. */
const MOST = { 'checkout-rewards': 32_000, 'account-rewards': 40_000 };
const MOST_OF_A_LOADER = 10_000;
const SHOPIFYS_LIMIT = 65_536;

/** Each bundle in a folder: `{ name, deflate_bytes, most }`, the storefront's scripts as they are. */
export async function sizes(folder) {
  const bundles = [];
  for (const { handle } of await extensions()) {
    const bundle = await readFile(path.join(folder, `${handle}.js`));
    bundles.push({ name: handle, deflate_bytes: deflateSync(bundle).length, most: MOST[handle] ?? SHOPIFYS_LIMIT });
  }
  for (const name of await loaders()) {
    const { length } = await readFile(path.join(root, 'extensions', name));
    bundles.push({ name, deflate_bytes: length, most: MOST_OF_A_LOADER });
  }
  return bundles;
}

/** The scripts that blocks of theme app extensions name. */
async function loaders() {
  const found = new Set();
  for (const folder of await readdir(path.join(root, 'extensions'))) {
    const blocks = path.join(root, 'extensions', folder, 'blocks');
    for (const block of await readdir(blocks).catch(() => [])) {
      const liquid = await readFile(path.join(blocks, block), 'utf8');
      const [, schema] = liquid.match(/\{%-?\s*schema\s*-?%\}([^]*?)\{%-?\s*endschema/) ?? [];
      const { javascript } = JSON.parse(schema ?? '{}');
      if (javascript) found.add(path.join(folder, 'assets', javascript));
    }
  }
  return [...found].sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify({ bundles: await sizes(process.argv[2]) }));
}
