import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const LANGUAGES = ['de', 'en.default', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'pt-BR', 'sv'];

/** Every key that has words, with the names that they have places for; plural forms are one key. */
function entries(words, prefix = '') {
  return Object.entries(words).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    if (typeof value === 'string') return [[name, places(value)]];
    if (isPlural(value)) return [[name, places(value.other)]];
    return entries(value, `${name}.`);
  });
}

const FORMS = ['zero', 'one', 'two', 'few', 'many', 'other'];
const isPlural = (words) => 'other' in words && Object.keys(words).every((key) => FORMS.includes(key));

/** All groups of plural forms. */
const plurals = (words) =>
  Object.values(words).flatMap((value) => {
    if (typeof value === 'string') return [];
    return isPlural(value) ? [value] : plurals(value);
  });

const places = (text) => [...text.matchAll(/{{(\w+)}}/g)].map(([, name]) => name).sort();

/** The texts of an extension's sources, and of what it shares. */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).map((entry) =>
    entry.isFile() ? readFileSync(path.join(folder, entry.name), 'utf8') : '',
  );
}

describe.each(['checkout-rewards', 'account-rewards'])('%s', (name) => {
  const folder = path.join(root, 'extensions', name);
  const read = (language) => JSON.parse(readFileSync(path.join(folder, 'locales', `${language}.json`), 'utf8'));
  const english = Object.fromEntries(entries(read('en.default')));

  test('speaks the ten languages', () => {
    expect(readdirSync(path.join(folder, 'locales')).sort()).toEqual(
      LANGUAGES.map((language) => `${language}.json`).sort(),
    );
  });

  test.each(LANGUAGES)('says everything in %s, with the same places', (language) => {
    expect(Object.fromEntries(entries(read(language)))).toEqual(english);
  });

  test.each(LANGUAGES)('has the plural forms of %s', (language) => {
    const needed = new Intl.PluralRules(language.replace('.default', '')).resolvedOptions().pluralCategories;
    expect(read(language).points).toBeDefined();
    for (const forms of plurals(read(language))) expect(Object.keys(forms)).toEqual(expect.arrayContaining(needed));
  });

  test('has no words that nobody says', () => {
    const code = [...sources(path.join(folder, 'src')), ...sources(path.join(root, 'rewards-ui'))].join('\n');
    // A group such as `standing.…` is said by a name that is put together.
    const isSaid = (key) => code.includes(`'${key}'`) || code.includes(`\`${key.split('.')[0]}.\${`);
    expect(Object.keys(english).filter((key) => !isSaid(key))).toEqual([]);
  });
});
