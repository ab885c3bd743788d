// `shopify.i18n` as Shopify's surfaces have it: words from an extension's `locales`, numbers as its language writes them.

/**
 * @param {object} words the file of a language
 * @param {string} language such as `pt-BR`
 */
export function i18n(words, language) {
  const plural = new Intl.PluralRules(language);
  return {
    /** `{{names}}` are replaced, and `count` chooses among plural forms. A key without words is shown as it is. */
    translate(key, given = {}) {
      let text = key.split('.').reduce((branch, part) => branch?.[part], words);
      if (text !== null && typeof text === 'object') text = text[plural.select(given.count)] ?? text.other;
      if (typeof text !== 'string') return key;
      return text.replace(/{{\s*(\w+)\s*}}/g, (whole, name) => (name in given ? given[name] : whole));
    },
    formatNumber: (number, style) => new Intl.NumberFormat(language, style).format(number),
    formatCurrency: (number, style) => new Intl.NumberFormat(language, { style: 'currency', ...style }).format(number),
    formatDate: (date, style) => new Intl.DateTimeFormat(language, style).format(date),
  };
}
