// What the panel says: sentences from the locale's file, numbers and money as the language writes them.

import { digits } from './rules.js';

/** Speaks as the shopper's page does. */
export function speaker({ words, locale }) {
  const sentences = JSON.parse(words);
  const language = known(locale);
  const numbers = new Intl.NumberFormat(language, { useGrouping: 'always' });
  const plural = new Intl.PluralRules(language);

  const say = (key, places = {}) =>
    (sentences[key] ?? '').replace(/\{(\w+)\}/g, (whole, place) => places[place] ?? whole);

  const counted = (what) => (value) => {
    const key = `${what}.${plural.select(value)}`;
    return say(key in sentences ? key : `${what}.other`, { number: numbers.format(value) });
  };

  return {
    say,
    number: (value) => numbers.format(value),
    points: counted('points'),
    days: counted('days'),
    money: (minor, currency) => {
      const places = digits(currency);
      // Languages write whole forints, but half of one is not nothing.
      const exact = minor % 10 ** places === 0 ? {} : { minimumFractionDigits: places, maximumFractionDigits: places };
      return new Intl.NumberFormat(language, { style: 'currency', currency, ...exact }).format(minor / 10 ** places);
    },
    /** A day such as `2027-01-31`, which is the shop's: no time zone changes it. */
    day: (text) => new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(`${text}T00:00Z`)),
  };
}

/** The locale, or English where the browser does not know such a tag. */
function known(locale) {
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? 'en';
  } catch {
    return 'en';
  }
}
