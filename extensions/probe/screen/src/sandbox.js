// What an extension's sandbox has. Each thing is tried: what is there by name may be forbidden all the same.

/** The smallest module there is. */
const MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

const TRIALS = {
  WebAssembly: () => WebAssembly.instantiate(MODULE).then(({ instance }) => instance instanceof WebAssembly.Instance),
  TextDecoder: () => new TextDecoder().decode(new Uint8Array([195, 169])) === 'é',
  TextEncoder: () => new TextEncoder().encode('é').length === 2,
  atob: () => atob('w6k=') === '\u00c3\u00a9',
  btoa: () => btoa('\u00c3\u00a9') === 'w6k=',
  BigInt: () => String(BigInt('18446744073709551615') + BigInt(1)) === '18446744073709551616',
  AbortController: () => new AbortController().signal.aborted === false,
  structuredClone: () => structuredClone({ a: [1] }).a[0] === 1,
  crypto: () => crypto.getRandomValues(new Uint8Array(8)).some((byte) => byte > 0),
  URL: () => new URL('https://a.example/?b=c').searchParams.get('b') === 'c',
  Intl: () => new Intl.PluralRules('pl').select(2) === 'few',
};

/** By name: `works`, `absent`, or why it does not work. @returns {Promise<Record<string, string>>} */
export async function sandbox() {
  const found = {};
  for (const [name, works] of Object.entries(TRIALS)) {
    if (typeof globalThis[name] === 'undefined') {
      found[name] = 'absent';
      continue;
    }
    try {
      found[name] = (await works()) ? 'works' : 'answers something else';
    } catch (error) {
      found[name] = `fails: ${error?.message ?? error}`;
    }
  }
  return found;
}
