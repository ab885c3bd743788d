import { words } from '../../../rewards-ui/words.js';

/** What is known of something, or that it is waited for, or why it is not there and a way to ask again. */
export function Known({ of, children }) {
  const { say, trouble: told } = words(shopify.i18n);
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
