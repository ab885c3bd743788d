// Rewards that need no cart: Shopify pays them out as store credit or as a gift card, and nobody can take that back.

import { signal } from '@preact/signals';

import { after } from '../../../rewards-ui/waits.js';
import { work } from '../../../rewards-ui/work.js';

/** When to look what became of a payout. Where Shopify's answer is lost, the app looks for a while itself. */
const PAUSES = [1_000, 2_000, 3_000, 5_000, 8_000, 13_000, 21_000, 34_000];

/** Nobody knows whether the app was asked. */
const LOST = ['unreachable', 'too_slow', 'garbled', 'server_error'];

export const isSettled = ({ state }) => state === 'done' || state === 'refused';

/**
 * @param {ReturnType<import('./app.js').memberClient>} app
 * @param {ReturnType<import('../../../rewards-ui/resource.js').resource>} account
 * @param {ReturnType<import('../../../rewards-ui/resource.js').resource>} rewards
 */
export function payouts(app, account, rewards) {
  const { busy, trouble, alone } = work();
  /** The newest that this page knows of, as the app tells it; null for none. */
  const payout = signal(null);

  /** Asks under one id until there is an answer: asked twice, it is paid out once. */
  async function ask(wish) {
    const said = await app.payOut(wish);
    if (!LOST.includes(said.trouble)) return said;
    const again = async () => {
      const later = await app.payOut(wish);
      return LOST.includes(later.trouble) ? undefined : later;
    };
    return (await after(PAUSES.slice(0, 4), again)) ?? said;
  }

  /** Looks until it is known what came of it, then at what the member has. */
  async function follow(known) {
    payout.value = known;
    await after(isSettled(known) ? [] : PAUSES, async () => {
      const { value } = await app.payout(known.id);
      if (value) payout.value = value;
      return value && isSettled(value) ? true : undefined;
    });
    await Promise.all([account.load(), rewards.load()]);
  }

  return {
    busy,
    trouble,
    payout,
    follow,
    async pick(wish) {
      let asked;
      await alone('paying', wish.reward, async () => {
        const { value, trouble: refused } = await ask({ id: uuid(), ...wish });
        asked = value;
        return refused;
      });
      if (asked) await follow(asked);
    },
  };
}

/** A random UUID (version 4). */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
