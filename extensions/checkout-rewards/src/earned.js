// What an order earned, asked until the app has heard of it.

import { after } from '../../../rewards-ui/waits.js';

/** When to ask: the order's webhook is usually there within seconds, and may take longer. */
const PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** Whoever asks too early is told so; anything else is an answer. */
const TOO_EARLY = ['order_not_yet_known', 'too_many_requests', 'unreachable', 'too_slow', 'server_error'];

/**
 * @param {ReturnType<import('../../../rewards-ui/client.js').client>} app
 * @param {string} order its global id
 * @returns {Promise<{ at: 'earned' | 'waiting' | 'welcome', points: number } | { at: 'nothing' | 'guest' | 'unknown' }>}
 */
export async function earned(app, order) {
  const ask = async () => {
    const { value, trouble } = await app.orderPoints(order.split('/').pop());
    if (trouble === 'not_signed_in') return invitation(app);
    if (trouble) return TOO_EARLY.includes(trouble) ? undefined : { at: 'unknown' };
    const { posted, pending } = value;
    if (pending > 0) return { at: 'waiting', points: pending };
    return posted > 0 ? { at: 'earned', points: posted } : { at: 'nothing' };
  };
  return (await ask()) ?? (await after(PAUSES, ask)) ?? { at: 'unknown' };
}

/** What a guest is promised: the points of this order where they wait for an account, else those for signing up. */
async function invitation(app) {
  const { value } = await app.joining();
  if (value?.guests === 'earn') return { at: 'guest' };
  return value?.sign_up > 0 ? { at: 'welcome', points: value.sign_up } : { at: 'nothing' };
}
