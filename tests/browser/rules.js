// A stand-in for the rules, for tests of the storefront: the common cases, in the shape of `loyalty-wasm`.

const read = (value) => {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return null;
  }
};

const isAccount = (it) => it?.v === 1 && [it.points, it.pending, it.seq].every(Number.isSafeInteger);

export async function rules() {
  return {
    offers(accountValue, programValue, { currency, lines, mark }) {
      const [said, set] = [read(accountValue), read(programValue)];
      const account = isAccount(said) ? { ...said, spendable: said.points + (said.hold?.points ?? 0), tier: null, next: said.next ?? null } : null;
      const program = set?.v === 1 ? set : { rewards: [] };
      const eligible = lines.filter((line) => !line.giftCard);
      const subtotal = eligible.reduce((sum, line) => sum + line.unit * line.quantity, 0);
      const net = eligible.reduce((sum, line) => sum + line.net, 0);
      const held = account?.hold;
      const stands = held && mark?.startsWith(`${held.id}.`);
      const worth = (kind, value) => {
        if (kind === 'gift_card') return value;
        const off = kind === 'percent' ? Math.floor((subtotal * value) / 10_000) : value;
        return subtotal > 0 ? Math.min(subtotal, off) : null;
      };
      return {
        account,
        earns: program.earn && currency === program.currency ? Math.floor((net * program.earn.points) / program.earn.per) : null,
        hold: held ? { ...held, currency: held.cur, applies: Boolean(stands) && held.cur === currency, worth: worth(held.kind, held.value), costs: held.points } : null,
        mark: mark === null ? 'none' : stands ? 'stands' : 'stale',
        rewards: program.rewards.map((reward) => offer(reward, currency, account?.spendable ?? 0, worth)),
        nextReward: null,
        tierProgress: null,
      };
    },
  };
}

function offer({ id, name, points, benefit }, currency, spendable, worth) {
  const value = benefit.kind === 'percent' ? benefit.basis_points : benefit.value?.[currency];
  const it = { id, name, kind: benefit.kind, points, choices: [] };
  if (value === undefined) return { ...it, state: 'not_in_currency' };
  const most = benefit.kind === 'steps' ? Math.max(1, Math.min(benefit.most, Math.floor(spendable / points))) : 1;
  for (let step = 1; step <= most; step++) {
    const off = worth(benefit.kind, value * step);
    it.choices.push({ points: points * step, worth: off });
    if (off === null || (benefit.kind === 'steps' && off < value * step)) break;
  }
  if (points > spendable) return { ...it, state: 'short', missing: points - spendable };
  return { ...it, state: it.choices[0].worth === null ? 'nothing_to_take_off' : 'ready' };
}
