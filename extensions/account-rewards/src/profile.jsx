// The block beside a customer's profile: the balance, what is missing for the next tier, and the way to the page.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';

import { resource } from '../../../rewards-ui/resource.js';
import { words } from '../../../rewards-ui/words.js';
import { memberClient } from './app.js';
import { askProgress } from './progress.js';
import { goalLine } from './tier.jsx';

export default async function profile() {
  const app = memberClient();
  const account = resource(app.account);
  const progress = resource(() => askProgress(app));
  render(<Profile account={account} progress={progress} />, document.body);
  await Promise.all([account.load(), progress.load()]);
}

/** Whoever cannot be told their balance is told nothing here: the page says why. */
function Profile({ account, progress }) {
  const { say, points } = words(shopify.i18n);
  const known = account.known.value;
  const goal = known && goalLine(progress.known.value);
  return (
    <s-section heading={say('balance')}>
      <s-stack gap="small-200">
        {known && <s-text type="strong">{points(known.points)}</s-text>}
        {known?.pending > 0 && <s-text color="subdued">{say('pending', { points: points(known.pending) })}</s-text>}
        {goal && <s-text>{goal}</s-text>}
        <s-link href="extension:account-rewards/">{say('to_page')}</s-link>
      </s-stack>
    </s-section>
  );
}
