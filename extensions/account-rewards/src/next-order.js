// Rewards for the next order: points are held now, and the next checkout of this customer uses them without a mark.

import { opened, work } from '../../../rewards-ui/work.js';

/**
 * @param {ReturnType<import('../../../rewards-ui/client.js').client>} app
 * @param {ReturnType<import('../../../rewards-ui/resource.js').resource>} account
 * @param {ReturnType<import('../../../rewards-ui/resource.js').resource>} rewards
 */
export function nextOrder(app, account, rewards) {
  const { busy, trouble, alone } = work();
  /** The ledger has moved: balance and what can be had now are others. */
  const again = () => Promise.all([account.load(), rewards.load()]);

  return {
    busy,
    trouble,
    pick: (wish) =>
      alone('picking', wish.reward, async () => {
        const { value, trouble: refused } = await app.redeem({ ...wish, scope: 'next_order' });
        const stands = refused ?? (await opened(app, value));
        await again();
        return typeof stands === 'string' ? stands : undefined;
      }),
    cancel: (id) =>
      alone('removing', 'hold', async () => {
        const { trouble: refused } = await app.cancel(id);
        await again();
        return refused;
      }),
  };
}
