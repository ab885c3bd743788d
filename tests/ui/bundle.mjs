// Bundles of the extensions as Shopify's command line makes them, and of the host that runs them here.
//
//     node tests/ui/bundle.mjs target/extensions
//
// Each extension becomes HANDLE.js, HANDLE.json says which targets it has and in which words it speaks.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

import { elements } from './elements.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where the bundles take the app to be; whoever runs them answers for it. */
export const APP_URL = 'https://loyalnest.example.com';

/** The extensions of an app with a user interface: each `[[extensions]]` of that type. The probe is an app of its own. */
export async function extensions(app = 'extensions') {
  const found = [];
  for (const folder of await readdir(path.join(root, app))) {
    const directory = path.join(root, app, folder);
    const file = await readFile(path.join(directory, 'shopify.extension.toml'), 'utf8').catch(() => '');
    for (const part of file.split(/^\[\[extensions\]\]$/m).slice(1)) {
      const value = (key) => part.match(new RegExp(`^ *${key} = "(.*)"$`, 'm'))?.[1];
      if (value('type') !== 'ui_extension') continue;
      const targets = [...part.matchAll(/target = "(.*)"\s+module = "(.*)"/g)].map(([, target, module]) => ({
        target,
        module,
      }));
      found.push({ handle: value('handle'), directory, targets });
    }
  }
  return found;
}

/** What the command line hands to esbuild: every target in one bundle (IIFE, es6, minified). */
export async function bundle({ directory, targets }, outfile) {
  const imports = targets.map(
    ({ target, module }, at) =>
      `import Target_${at} from '${module}';shopify.extend('${target}', (...args) => Target_${at}(...args));`,
  );
  await build({
    stdin: { contents: imports.join('\n'), resolveDir: directory, loader: 'tsx' },
    outfile,
    bundle: true,
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.APP_URL': JSON.stringify(APP_URL) },
    jsx: 'automatic',
    loader: { '.esnext': 'ts', '.js': 'jsx' },
    legalComments: 'none',
    minify: true,
    target: 'es6',
    resolveExtensions: ['.tsx', '.ts', '.js', '.json', '.esnext', '.mjs', '.ejs'],
    logLevel: 'error',
  });
}

/** The probe has none: it speaks to developers. */
async function words(directory) {
  const all = {};
  for (const file of await readdir(path.join(directory, 'locales')).catch(() => [])) {
    all[file.split('.')[0]] = JSON.parse(await readFile(path.join(directory, 'locales', file), 'utf8'));
  }
  return all;
}

/** The page's half and the worker's half of the host. */
function host(folder) {
  const known = { checkout: elements('checkout'), 'customer-account': elements('customer-account') };
  return build({
    entryPoints: ['host', 'worker'].map((name) => path.join(root, `tests/ui/host/${name}.js`)),
    outdir: folder,
    bundle: true,
    format: 'iife',
    globalName: 'extensionHost',
    define: { ELEMENTS: JSON.stringify(known), APP_URL: JSON.stringify(APP_URL) },
    minify: true,
    logLevel: 'error',
  });
}

/** Everything of an app, into a folder. */
export async function bundleAll(folder, app) {
  await mkdir(folder, { recursive: true });
  const all = await extensions(app);
  await Promise.all([
    host(folder),
    ...all.map(async (extension) => {
      const { handle, directory, targets } = extension;
      await bundle(extension, path.join(folder, `${handle}.js`));
      const about = { handle, targets: targets.map(({ target }) => target), words: await words(directory) };
      await writeFile(path.join(folder, `${handle}.json`), JSON.stringify(about));
    }),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleAll(process.argv[2]);
