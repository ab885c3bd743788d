// Numbers and times as people here write them.

const LOCALE = 'en-GB';
const formats = new Map();

function format(currency) {
  if (!formats.has(currency)) formats.set(currency, new Intl.NumberFormat(LOCALE, { style: 'currency', currency }));
  return formats.get(currency);
}

/** Minor units as money: 1250 of GBP is £12.50, 1250 of JPY is JP¥1,250. */
export function money(minor, currency) {
  const it = format(currency);
  return it.format(minor / 10 ** it.resolvedOptions().maximumFractionDigits);
}

const plain = new Intl.NumberFormat(LOCALE);
const signed = new Intl.NumberFormat(LOCALE, { signDisplay: 'exceptZero' });

export const number = (value) => plain.format(value);
export const change = (value) => signed.format(value).replace('-', '−');
export const points = (value) => `${number(value)} ${Math.abs(value) === 1 ? 'point' : 'points'}`;

const clock = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });

export const time = (at) => clock.format(new Date(at));
export const hour = (at) => minute.format(new Date(at));
