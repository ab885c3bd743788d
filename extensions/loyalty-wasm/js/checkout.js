// The rules for the extension in the checkout, as JavaScript: what it shows of them, in as few bytes as may be.

import { offers } from './built/checkout.js';
import { listen } from './host.js';
import { jsonOf, plain } from './rules.js';

/** @type {import('./checkout.d.ts').rules} */
export async function rules() {
  return {
    offers(account, program, cart) {
      try {
        const member = read(account);
        return answer(listen([member, read(program), plain(cart)], offers), member);
      } catch {
        return answer([0, 0, null, 0, null, null]);
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

/** The answer, of what was said in this order: see `src/checkout.rs`. */
function answer(said, account) {
  const next = () => said.shift();
  const choices = () => {
    const all = [];
    for (let points = next(); points !== null; points = next()) all.push({ points, worth: next() });
    return all;
  };
  const answer = {
    account: next() ? { points: next(), pending: next() } : null,
    hasProgram: next() === 1,
    earns: next(),
    hold: next() ? { ...held(account.hold), worth: next() } : null,
    rewards: [],
    nextReward: null,
  };
  for (let id = next(); id !== null; id = next()) answer.rewards.push({ id, name: next(), choices: choices() });
  const missing = next();
  if (missing !== null) answer.nextReward = { missing, name: next() };
  return answer;
}

/** What the account says of its hold; the rules have read it and know that it is right. */
const held = ({ id, kind, points, cur, scope }) => ({ id, kind, points, currency: cur, scope });
