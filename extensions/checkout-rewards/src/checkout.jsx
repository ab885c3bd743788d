// The block in the checkout: what points buy here, picked, changed and taken back.

import { signal } from '@preact/signals-core';

import { client } from '../../../rewards-ui/client.js';
import { draw } from '../../../rewards-ui/draw.js';
import { redeeming } from '../../../rewards-ui/redeeming.js';
import { rules } from '../../../rewards-ui/rules.js';
import { Rewards } from './rewards.jsx';

export default async function checkout() {
  const app = client({ token: () => shopify.sessionToken.get() });
  const redeem = redeeming(app, shopify);
  /** What the app said when it was asked who shops: `not_signed_in`, another code, or null; undefined until then. */
  const visit = signal(undefined);
  const known = await rules();
  draw(() => <Rewards rules={known} redeem={redeem} visit={visit} />);
  visit.value = (await redeem.look()) ?? null;
}
