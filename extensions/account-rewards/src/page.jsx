// The page in the customer account: balance, how far to the next tier, what stands, rewards, friends, history, birthday.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';

import { resource } from '../../../rewards-ui/resource.js';
import { words } from '../../../rewards-ui/words.js';
import { memberClient } from './app.js';
import { Balance } from './balance.jsx';
import { Birthday } from './birthday.jsx';
import { History } from './history.jsx';
import { Known } from './known.jsx';
import { nextOrder } from './next-order.js';
import { Payout } from './payout.jsx';
import { payouts } from './payouts.js';
import { askProgress } from './progress.js';
import { Referral } from './referral.jsx';
import { Rewards } from './rewards.jsx';
import { askShop } from './shop.js';
import { Standing } from './standing.jsx';
import { Tier } from './tier.jsx';

export default async function page() {
  const app = memberClient();
  const account = resource(app.account);
  const rewards = resource(app.rewards);
  const progress = resource(() => askProgress(app));
  const referral = resource(app.referral);
  const shop = resource(() => askShop(shopify));
  const redeem = nextOrder(app, account, rewards);
  const paying = payouts(app, account, rewards);
  render(
    <Page
      app={app}
      account={account}
      progress={progress}
      referral={referral}
      rewards={rewards}
      shop={shop}
      redeem={redeem}
      paying={paying}
    />,
    document.body,
  );
  await Promise.all([account.load(), progress.load(), rewards.load(), shop.load()]);
  // The page is there without these.
  if (shop.known.value.invites) referral.load();
  const underWay = account.known.value?.payout;
  if (underWay) paying.follow(underWay);
}

function Page({ app, account, progress, referral, rewards, shop, redeem, paying }) {
  const { say, trouble: told } = words(shopify.i18n);
  const trouble = redeem.trouble.value ?? paying.trouble.value;
  const { currencies = [], invites = false } = shop.known.value ?? {};
  return (
    <s-page heading={say('title')}>
      <s-stack gap="large">
        <Known of={account}>{() => <Balance account={account.known.value} />}</Known>
        {account.known.value && <Tier progress={progress} tier={account.known.value.tier} />}
        {account.known.value && <Standing redemption={account.known.value.redemption} redeem={redeem} />}
        <Payout paying={paying} />
        {trouble && <s-banner tone="warning">{told(trouble.code)}</s-banner>}
        {account.known.value && (
          <Known of={rewards}>
            {() => (
              <Rewards
                rewards={rewards.known.value}
                account={account.known.value}
                currencies={currencies}
                redeem={redeem}
                paying={paying}
              />
            )}
          </Known>
        )}
        {account.known.value && invites && <Referral referral={referral} currency={currencies[0]} />}
        {account.known.value && <History app={app} seq={account.known.value.seq} />}
        {account.known.value && <Birthday app={app} bonus={account.known.value.birthday?.bonus} />}
      </s-stack>
    </s-page>
  );
}
