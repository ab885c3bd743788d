// Which `s-*` elements a surface has, with their properties and events: read from Shopify's own types.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES = fileURLToPath(new URL('../../node_modules/@shopify/ui-extensions', import.meta.url));

/**
 * @param {'checkout' | 'customer-account'} surface
 * @returns {Record<string, { properties: string[], events: string[] }>} by name, such as `s-button`
 */
export function elements(surface) {
  const folders = ['build/ts', 'src'].map((root) => path.join(TYPES, root, 'surfaces', surface, 'components'));
  const found = {};
  for (const folder of folders) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.d.ts'))) {
      const text = readFileSync(path.join(folder, file), 'utf8').replace(/\/\*[^]*?\*\//g, '');
      const tag = text.match(/tagName = "(s-[\w-]+)"/)?.[1] ?? text.match(/\['(s-[\w-]+)'\]: \w+Element;/)?.[1];
      if (tag) found[tag] ??= { properties: [...properties(text)].sort(), events: [...events(text)].sort() };
    }
  }
  return found;
}

/** The members that `…ElementProps` picks, and those that it or `…Props` declares. */
function properties(text) {
  const names = new Set();
  for (const [, list] of text.matchAll(/interface \w+ElementProps extends Pick<[\w$]+, ([^>]+)>/g)) {
    for (const [, name] of list.matchAll(/'(\w+)'/g)) names.add(name);
  }
  for (const [, body] of text.matchAll(/interface (?!BaseElement)\w+Props\b[^{]*{([^}]*)}/g)) {
    for (const [, name] of body.matchAll(/^ *(\w+)\??:/gm)) names.add(name);
  }
  // Handlers are events; keys, refs and children are Preact's.
  return [...names].filter((name) => !/^on[A-Z]/.test(name));
}

function events(text) {
  const bodies = [...text.matchAll(/interface \w+ElementEvents\b[^{]*{([^}]*)}/g)].map(([, body]) => body);
  return bodies.flatMap((body) => [...body.matchAll(/^ *(\w+)\??:/gm)].map(([, name]) => name));
}
