// The files of the theme app extension: what Shopify refuses, what it weighs, and its languages.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { extension, offenses } from './check.mjs';

const read = (...names) => readFile(path.join(extension, ...names), 'utf8');
const LANGUAGES = ['de', 'en', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'pt-BR', 'sv'];

test('theme check finds nothing in the extension, and something in a broken one', async (t) => {
  assert.deepEqual(await offenses(extension), []);
  const broken = await mkdtemp(path.join(os.tmpdir(), 'loyalnest-theme-'));
  t.after(() => rm(broken, { recursive: true }));
  await cp(extension, broken, { recursive: true });
  await writeFile(path.join(broken, 'blocks/nudge.liquid'), "{{ 'no.such.key' | t }}");
  const found = await offenses(broken);
  assert.ok(found.some((offense) => offense.includes('TranslationKeyExists')), found.join('\n'));
  assert.ok(found.some((offense) => offense.includes('AppBlockMissingSchema')), found.join('\n'));
});

test('the loader has at most 10,000 bytes', async () => {
  const bytes = Buffer.byteLength(await read('assets', 'loader.js'));
  assert.ok(bytes <= 10_000, `${bytes} bytes`);
});

test('no file asks anybody but the shop', async () => {
  for (const folder of ['assets', 'blocks', 'snippets']) {
    for (const name of await readdir(path.join(extension, folder))) {
      // A namespace is a name, and nothing is fetched from it.
      const text = (await read(folder, name)).replaceAll('http://www.w3.org/2000/svg', '');
      assert.doesNotMatch(text, /https?:\/\/|["'(]\/\/\w/, `${folder}/${name}`);
    }
  }
});

for (const kind of ['json', 'schema.json']) {
  test(`every language says the same things (${kind})`, async () => {
    const english = flat(JSON.parse(await read('locales', `en.default.${kind}`)));
    const files = (await readdir(path.join(extension, 'locales'))).filter((name) => name.endsWith('schema.json') === (kind === 'schema.json'));
    assert.deepEqual(files.map((name) => name.split('.')[0]).sort(), LANGUAGES);
    for (const name of files) {
      const said = flat(JSON.parse(await read('locales', name)));
      assert.deepEqual([...said.keys()], [...english.keys()], name);
      for (const [key, sentence] of said) {
        assert.deepEqual(places(sentence), places(english.get(key)), `${name} ${key}`);
        assert.ok(sentence.length > 0, `${name} ${key}`);
        // Liquid escapes what it translates; the panel takes the same sentences as text.
        if (kind === 'json') assert.doesNotMatch(sentence, /[<>&"']/, `${name} ${key}`);
      }
    }
  });
}

test('what the panel says is handed to it, and everything that is handed over is said', async () => {
  const handed = [...(await read('snippets', 'words.liquid')).matchAll(/^ {2}"([\w.]+)": \{\{ '([\w.]+)'/gm)];
  for (const [line, name, key] of handed) assert.equal(name, key, line);
  const names = new Set(handed.map(([, name]) => name));
  const scripts = (await readdir(path.join(extension, 'assets'))).filter((name) => name.endsWith('.js'));
  const code = (await Promise.all(scripts.map((name) => read('assets', name)))).join('\n');
  const said = new Set([...code.matchAll(/'((?:points|balance|tier|product|rewards|referral|panel|hold|problem)\.(?!js'|css')\w+)'/g)].map(([, key]) => key));
  for (const key of said) assert.ok(names.has(key), `${key} is said, but not handed over`);
  for (const name of names) {
    const computed = ['hold.', 'points.', 'days.'].some((group) => name.startsWith(group));
    assert.ok(computed || said.has(name), `${name} is handed over, but never said`);
  }
});

/** Keys of all depths, with dots. */
function flat(object, before = '') {
  const entries = Object.entries(object).flatMap(([key, value]) => {
    const name = before ? `${before}.${key}` : key;
    return typeof value === 'object' ? [...flat(value, name)] : [[name, value]];
  });
  return new Map(entries);
}

const places = (sentence) => [...sentence.matchAll(/\{\{ (\w+) \}\}/g)].map(([, place]) => place).sort();
