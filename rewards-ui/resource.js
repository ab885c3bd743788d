import { signal } from '@preact/signals';

/**
 * Something that the app is asked for: what it said, or why it did not. What was said before stays until there is
 * something newer.
 *
 * @param {() => Promise<import('./client.js').Answer>} ask
 */
export function resource(ask) {
  /** The newest answer; undefined before the first one. */
  const known = signal(undefined);
  /** Why the last question was not answered; null where it was. */
  const trouble = signal(null);
  let asked = 0;

  return {
    known,
    trouble,
    /** Asks; of two questions, the answer to the later one counts. */
    async load() {
      const mine = ++asked;
      const answer = await ask();
      if (mine !== asked) return;
      trouble.value = answer.trouble ?? null;
      if (!answer.trouble) known.value = answer.value;
    },
  };
}
