// Words, numbers and dates in the language of whoever reads them.

import { major } from './money.js';

/** Codes that have a sentence of their own; any other is told by `trouble.other`. */
const TOLD = [
  'unreachable',
  'not_signed_in',
  'too_many_requests',
  'insufficient_points',
  'sold_out',
  'limit_reached',
  'under_review',
  'unknown_reward',
  'not_offered_in_currency',
  'redemption_ended',
  'redemption_captured',
  'cannot_mark',
  'still_opening',
];

/** Codes that come to the same for whoever reads them. */
const SAME = {
  no_token: 'unreachable',
  too_slow: 'unreachable',
  garbled: 'unreachable',
  server_error: 'unreachable',
  payout_under_way: 'still_opening',
  not_yet: 'unknown_reward',
  over: 'unknown_reward',
  other_tier: 'unknown_reward',
};

/**
 * @param {{ translate: Function, formatNumber: Function, formatCurrency: Function, formatDate: Function }} i18n
 */
export function words(i18n) {
  const say = (key, given) => i18n.translate(key, given);
  const points = (count) => say('points', { count, number: i18n.formatNumber(count) });
  return {
    say,
    /** `1,250 points` */
    points,
    /** `£12.50` of 1250 */
    money: (minor, currency) => i18n.formatCurrency(major(minor, currency), { currency }),
    /** A day such as `2027-01-31`, which is the same day everywhere. */
    day: (text) => date(i18n, `${text}T12:00:00Z`, { dateStyle: 'medium', timeZone: 'UTC' }),
    /** A moment, where the reader is. */
    moment: (text) => date(i18n, text, { dateStyle: 'medium' }),
    /** What went wrong. */
    trouble(code) {
      const told = SAME[code] ?? code;
      return say(TOLD.includes(told) ? `trouble.${told}` : 'trouble.other');
    },
  };
}

/** A date that cannot be read is shown as it was written. */
function date(i18n, text, style) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : i18n.formatDate(at, style);
}
