// Waiting, never without an end.

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What a promise comes to, or an error `too_slow` after so many milliseconds. */
export function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('too_slow')), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks after each pause, until it is told something other than `undefined`; `undefined` when the pauses are over. */
export async function after(pauses, ask) {
  for (const pause of pauses) {
    await sleep(pause);
    const told = await ask();
    if (told !== undefined) return told;
  }
  return undefined;
}
