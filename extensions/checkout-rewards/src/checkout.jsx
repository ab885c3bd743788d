// The block in the checkout: what points buy here, picked, changed and taken back.

import '@shopify/ui-extensions/preact';

import { signal } from '@preact/signals';
import { render } from 'preact';

import { client } from '../../../rewards-ui/client.js';
import { redeeming } from '../../../rewards-ui/redeeming.js';
import { rules } from '../../../rewards-ui/rules.js';
import { Rewards } from './rewards.jsx';

export default async function checkout() {
  const app = client({ token: () => shopify.sessionToken.get() });
  const redeem = redeeming(app, shopify);
  /** What the app said when it was asked who shops: `not_signed_in`, another code, or null; undefined until then. */
  const visit = signal(undefined);
  render(<Rewards rules={await rules()} redeem={redeem} visit={visit} />, document.body);
  visit.value = (await redeem.look()) ?? null;
}
