// What the Function `echo` says that it sees: as an amount of hundredths, since what a discount is called is one of the
// questions. `extensions/probe/echo` writes it.

/** What the discount is called in the Admin API; the Function calls its candidate by what it sees. */
export const NODE_TITLE = 'Probe';

/** Numbers as the echo has room for them: 1 to 15, and 0 for none. */
export const short = (number) => (Number.isSafeInteger(number) ? (number % 15) + 1 : 0);

/** What an amount of hundredths says, and the candidate's title; nothing for what is no echo. */
export function decode(hundredths) {
  const bits = hundredths - 1;
  if (!Number.isInteger(bits) || bits < 0 || bits >= 2048) return undefined;
  const seen = {
    authenticated: (bits & 1) > 0,
    attribute: (bits & 2) > 0,
    till: (bits & 4) > 0,
    cart: (bits >> 3) & 15,
    customer: bits >> 7,
  };
  return { ...seen, message: message(seen) };
}

const message = ({ authenticated, attribute, till, cart, customer }) =>
  `probe a${+authenticated} t${+attribute} p${+till} c${cart} m${customer}`;

/** Which of the two a discount is called by; nothing where it is something else. */
export function called(title, { message }) {
  return { [message]: 'candidate_message', [NODE_TITLE]: 'node_title' }[title];
}
