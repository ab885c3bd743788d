// Shopify's own theme check on the theme app extension: `node tests/theme/check.mjs`, or `cargo xtask check`.

import { themeCheckRun } from '@shopify/theme-check-node';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const extension = fileURLToPath(new URL('../../extensions/storefront-rewards', import.meta.url));

/** What it finds in a theme app extension, as `blocks/nudge.liquid:7 UnknownFilter: …`. */
export async function offenses(folder) {
  const { offenses, theme } = await themeCheckRun(folder);
  if (theme.length === 0) throw new Error(`${folder} has nothing to check`);
  return offenses.map(({ uri, start, check, message }) => {
    const file = path.relative(folder, fileURLToPath(uri));
    return `${file}:${start.line + 1} ${check}: ${message}`;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await offenses(extension);
  for (const offense of found) console.error(offense);
  process.exitCode = found.length > 0 ? 1 : 0;
}
