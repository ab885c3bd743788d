import { useState } from 'preact/hooks';

/** A report that can be selected and copied, and what makes a longer one. */
export function Screen({ first, more }) {
  const [text, show] = useState(first);
  const [doing, tell] = useState(undefined);

  async function run() {
    const said = await more.run(tell);
    console.log(said);
    show(said);
    tell(undefined);
  }

  return (
    <s-stack gap="base">
      <s-heading>LoyalNest probe</s-heading>
      {more && (
        <s-button disabled={doing !== undefined} onClick={run}>
          {more.name}
        </s-button>
      )}
      <s-stack accessibilityRole="status">{doing && <s-text>{doing}</s-text>}</s-stack>
      <s-text-area label="Report" value={text} readOnly rows={20} />
      <s-button commandFor="report" command="--copy">
        Copy
      </s-button>
      <s-clipboard-item id="report" text={text} />
    </s-stack>
  );
}
