import { useState } from 'preact/hooks';

import { words } from '../../../rewards-ui/words.js';

/** What the ledger calls what happens. */
const KINDS = [
  'wait',
  'post',
  'void',
  'earn',
  'reverse',
  'hold',
  'release',
  'capture',
  'unbacked',
  'return',
  'redeem',
  'expire',
  'bonus',
  'adjust',
  'merge',
  'import',
  'revert',
];

/** One change; for what an order earned, on request why. */
export function Entry({ app, entry: { at, kind, source_id: source, available, pending, held } }) {
  const { say, moment, trouble: told } = words(shopify.i18n);
  /** Sentences, or the code of why there are none; undefined before they were asked for. */
  const [why, explain] = useState(undefined);
  const order = /^order:(\d+)/.exec(source ?? '')?.[1];
  const change = available || pending || held;
  const what = say(`entry.${KINDS.includes(kind) ? kind : 'other'}`);

  async function ask() {
    const { value, trouble } = await app.explain(order, shopify.localization.extensionLanguage.value.isoCode);
    explain(trouble ? { trouble } : { text: value.text });
  }

  return (
    <s-stack gap="small-200">
      <s-grid gridTemplateColumns="1fr auto" gap="base">
        <s-stack gap="none">
          <s-text>{what}</s-text>
          <s-text color="subdued">{moment(at)}</s-text>
        </s-stack>
        <s-text type="strong">{shopify.i18n.formatNumber(change, { signDisplay: 'exceptZero' })}</s-text>
      </s-grid>
      {order && why === undefined && (
        <s-stack direction="inline">
          <s-link accessibilityLabel={`${say('why')} ${what}, ${moment(at)}`} onClick={ask}>
            {say('why')}
          </s-link>
        </s-stack>
      )}
      {why?.trouble && <s-text color="subdued">{told(why.trouble)}</s-text>}
      {why?.text && (
        <s-unordered-list>
          {why.text.map((sentence) => (
            <s-list-item key={sentence}>{sentence}</s-list-item>
          ))}
        </s-unordered-list>
      )}
    </s-stack>
  );
}
