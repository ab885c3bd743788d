import { signal } from '@preact/signals-core';

import { after } from './waits.js';

/** Work that the shopper asked for: one thing at a time, and what became of it beside what was asked. */
export function work() {
  /** What is being done just now; null for nothing. */
  const busy = signal(null);
  /** What went wrong, and where: `{ code, at }`; null for nothing. */
  const trouble = signal(null);

  /** A second click while something is under way does nothing. The work gives the code of what went wrong, if it did. */
  async function alone(what, at, run) {
    if (busy.value) return;
    busy.value = what;
    trouble.value = null;
    try {
      const code = await run();
      if (code) trouble.value = { code, at };
    } finally {
      busy.value = null;
    }
  }

  return { busy, trouble, alone };
}

/** When to look again whether a pick that was not published in time is. */
const PAUSES = [500, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000];

/** A redemption once checkouts know of it, or the code of what went wrong. */
export async function opened(app, picked) {
  if (picked.state !== 'opening') return picked;
  const told = await after(PAUSES, async () => {
    const { value } = await app.account();
    if (!value) return undefined; // it may answer the next time
    if (value.redemption?.id !== picked.id) return 'redemption_ended';
    return value.redemption.state === 'opening' ? undefined : value.redemption;
  });
  return told ?? 'still_opening';
}
