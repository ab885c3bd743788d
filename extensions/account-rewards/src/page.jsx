// The page in the customer account: balance, how far to the next tier, what stands, rewards, history, birthday.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';

import { resource } from '../../../rewards-ui/resource.js';
import { words } from '../../../rewards-ui/words.js';
import { memberClient } from './app.js';
import { Balance } from './balance.jsx';
import { Birthday } from './birthday.jsx';
import { currencies } from './currencies.js';
import { History } from './history.jsx';
import { nextOrder } from './next-order.js';
import { Payout } from './payout.jsx';
import { payouts } from './payouts.js';
import { askProgress } from './progress.js';
import { Rewards } from './rewards.jsx';
import { Standing } from './standing.jsx';
import { Tier } from './tier.jsx';

export default async function page() {
  const app = memberClient();
  const account = resource(app.account);
  const rewards = resource(app.rewards);
  const progress = resource(() => askProgress(app));
  const money = resource(() => currencies(shopify));
  const redeem = nextOrder(app, account, rewards);
  const paying = payouts(app, account, rewards);
  render(
    <Page
      app={app}
      account={account}
      progress={progress}
      rewards={rewards}
      money={money}
      redeem={redeem}
      paying={paying}
    />,
    document.body,
  );
  await Promise.all([account.load(), progress.load(), rewards.load(), money.load()]);
  const underWay = account.known.value?.payout;
  if (underWay) paying.follow(underWay); // the page is there without
}

function Page({ app, account, progress, rewards, money, redeem, paying }) {
  const { say, trouble: told } = words(shopify.i18n);
  const trouble = redeem.trouble.value ?? paying.trouble.value;
  return (
    <s-page heading={say('title')}>
      <s-stack gap="large">
        <Known of={account} say={say} told={told}>
          {() => <Balance account={account.known.value} />}
        </Known>
        {account.known.value && <Tier progress={progress} tier={account.known.value.tier} />}
        {account.known.value && <Standing redemption={account.known.value.redemption} redeem={redeem} />}
        <Payout paying={paying} />
        {trouble && <s-banner tone="warning">{told(trouble.code)}</s-banner>}
        {account.known.value && (
          <Known of={rewards} say={say} told={told}>
            {() => (
              <Rewards
                rewards={rewards.known.value}
                account={account.known.value}
                currencies={money.known.value ?? []}
                redeem={redeem}
                paying={paying}
              />
            )}
          </Known>
        )}
        {account.known.value && <History app={app} seq={account.known.value.seq} />}
        {account.known.value && <Birthday app={app} bonus={account.known.value.birthday?.bonus} />}
      </s-stack>
    </s-page>
  );
}

/** What is known of something, or that it is waited for, or why it is not there and a way to ask again. */
function Known({ of, say, told, children }) {
  if (of.known.value !== undefined) return children();
  if (of.trouble.value === null) return <s-spinner accessibilityLabel={say('waiting')} />;
  return (
    <s-banner tone="warning">
      <s-stack gap="base">
        <s-text>{told(of.trouble.value)}</s-text>
        <s-button variant="secondary" onClick={() => of.load()}>
          {say('again')}
        </s-button>
      </s-stack>
    </s-banner>
  );
}
