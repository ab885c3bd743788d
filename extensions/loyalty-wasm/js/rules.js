// What is asked of either build. Nothing but bytes of ASCII crosses the border, so that neither TextEncoder nor
// TextDecoder is needed.

/** The rules by the exports of a build. */
export function rulesOf(glue, exports) {
  return {
    offers(account, program, cart) {
      try {
        glue.__wbg_set_wasm(exports);
        return JSON.parse(text(glue.offers(json(account), json(program), json(plain(cart)))));
      } catch {
        return nothing();
      }
    },
  };
}

/** A cart with ids as the rules have them, and its mark as one text: checkouts keep the attempt beside the hold. */
export function plain(cart) {
  try {
    const { currency, lines, delivery, attempt, mark } = cart;
    return {
      currency,
      lines: lines.map((line) => ({ ...line, variant: variantId(line.variant), product: number(line.product) })),
      delivery,
      mark: mark != null && attempt != null ? `${mark}.${attempt}` : mark,
    };
  } catch {
    return null; // no cart, or none that anybody knows
  }
}

const variantId = (id) => (/^\d+$/.test(id) ? `gid://shopify/ProductVariant/${id}` : id);
export const number = (id) => (id == null ? null : Number(String(id).split('/').pop()));

/** JSON as bytes. */
export const json = (value) => bytes(ascii(jsonOf(value)));

/** A value's JSON; a metafield's text is JSON already. What cannot be written is null. */
export function jsonOf(value) {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
  } catch {
    return 'null';
  }
}

export const ascii = (json) =>
  json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

export function bytes(ascii) {
  const bytes = new Uint8Array(ascii.length);
  for (let at = 0; at < ascii.length; at += 1) bytes[at] = ascii.charCodeAt(at);
  return bytes;
}

export function text(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** What the rules say of nothing. */
function nothing() {
  return { account: null, earns: null, hold: null, mark: 'none', rewards: [], nextReward: null, tierProgress: null };
}
