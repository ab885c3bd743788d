// The rules for the extension in the checkout, as JavaScript: what it shows of them, in as few bytes as may be.

import * as glue from './built/checkout_bg.js';
import * as exports from './built/checkout.wasm.js';
import { hold } from './host.js';
import { jsonOf, plain } from './rules.js';

/** @type {import('./checkout.d.ts').rules} */
export async function rules() {
  glue.__wbg_set_wasm(exports);
  return {
    offers(account, program, cart) {
      try {
        const [member, ours] = [read(account), read(program)];
        return said(glue.checkout_offers(...hold(member, ours, plain(cart))), member);
      } catch {
        return said([0, 0, 0, 0, 0, 0]);
      }
    },
  };
}

/** What a metafield says; nothing where its text is no JSON. */
function read(metafield) {
  try {
    return JSON.parse(jsonOf(metafield));
  } catch {
    return null;
  }
}

/** The answer, whose numbers stand in this order: see `src/checkout.rs`. */
function said(numbers, account) {
  let at = 0;
  const next = () => numbers[at++];
  const number = () => (next() ? next() * 0x100000000 + (next() >>> 0) : null);
  const text = () => JSON.parse(`"${String.fromCharCode(...Array.from({ length: next() }, next))}"`);
  const choices = () => {
    const all = [];
    for (let points = number(); points !== null; points = number()) all.push({ points, worth: number() });
    return all;
  };
  const answer = {
    account: next() ? { points: number(), pending: number() } : null,
    hasProgram: next() === 1,
    earns: number(),
    hold: next() ? { ...held(account.hold), worth: number() } : null,
    rewards: [],
    nextReward: null,
  };
  while (next()) answer.rewards.push({ id: text(), name: text(), choices: choices() });
  const missing = number();
  if (missing !== null) answer.nextReward = { missing, name: text() };
  return answer;
}

/** What the account says of its hold; the rules have read it and know that it is right. */
const held = ({ id, kind, points, cur, scope }) => ({ id, kind, points, currency: cur, scope });
