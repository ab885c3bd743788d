// The block beside a customer's profile: the balance, and the way to the page.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';

import { client } from '../../../rewards-ui/client.js';
import { resource } from '../../../rewards-ui/resource.js';
import { words } from '../../../rewards-ui/words.js';

export default async function profile() {
  const app = client({ token: () => shopify.sessionToken.get() });
  const account = resource(app.account);
  render(<Profile account={account} />, document.body);
  await account.load();
}

/** Whoever cannot be told their balance is told nothing here: the page says why. */
function Profile({ account }) {
  const { say, points } = words(shopify.i18n);
  const known = account.known.value;
  return (
    <s-section heading={say('balance')}>
      <s-stack gap="small-200">
        {known && <s-text type="strong">{points(known.points)}</s-text>}
        {known?.pending > 0 && <s-text color="subdued">{say('pending', { points: points(known.pending) })}</s-text>}
        <s-link href="extension:account-rewards/">{say('to_page')}</s-link>
      </s-stack>
    </s-section>
  );
}
