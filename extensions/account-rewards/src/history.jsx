import { useEffect, useState } from 'preact/hooks';

import { words } from '../../../rewards-ui/words.js';
import { Entry } from './entry.jsx';

const PAGE = 10;

/** What happened to the points, newest first. `seq` is the number of the newest change. */
export function History({ app, seq }) {
  const { say, trouble: told } = words(shopify.i18n);
  const [entries, show] = useState([]);
  const [trouble, fail] = useState(null);
  const [mayBeMore, expect] = useState(false);

  /** Adds the page before an entry, or begins anew. */
  async function load(before) {
    const { value, trouble: refused } = await app.history(before, PAGE);
    fail(refused ?? null);
    if (refused) return;
    show((known) => (before === undefined ? value : [...known, ...value]));
    expect(value.length === PAGE);
  }

  useEffect(() => {
    load(undefined);
  }, [seq]);

  if (entries.length === 0 && !trouble) return null;
  const oldest = entries[entries.length - 1]?.seq;
  return (
    <s-section heading={say('history')}>
      <s-stack gap="base">
        {entries.map((entry) => (
          <Entry key={entry.seq} app={app} entry={entry} />
        ))}
        {trouble && <s-banner tone="warning">{told(trouble)}</s-banner>}
        {(mayBeMore || trouble) && (
          <s-stack direction="inline">
            <s-button variant="secondary" onClick={() => load(oldest)}>
              {say(trouble ? 'again' : 'older')}
            </s-button>
          </s-stack>
        )}
      </s-stack>
    </s-section>
  );
}
