import { useEffect, useState } from 'preact/hooks';

import { words } from '../../../rewards-ui/words.js';

/** How many days a month may have. */
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const two = (number) => String(number).padStart(2, '0');
const upTo = (last) => Array.from({ length: last }, (_, at) => at + 1);

/** A member's birthday, without its year: told here, or forgotten again. */
export function Birthday({ app, bonus }) {
  const { say, points, trouble: told } = words(shopify.i18n);
  /** What the app knows: `05-27`, null for nothing, undefined before it was asked. */
  const [known, know] = useState(undefined);
  const [trouble, fail] = useState(null);
  const [busy, work] = useState(false);
  const [month, chooseMonth] = useState(1);
  const [day, chooseDay] = useState(1);

  async function ask(question) {
    work(true);
    const { value, trouble: refused } = await question();
    work(false);
    fail(refused ?? null);
    if (!refused) know(value.birthday);
  }

  useEffect(() => {
    ask(app.birthday);
  }, []);

  if (known === undefined) return null; // not asked yet, or not answered: the page has more to show
  const shownDay = Math.min(day, DAYS[month - 1]);
  return (
    <s-section heading={say('birthday')}>
      <s-stack gap="base">
        {bonus > 0 && <s-text>{say('birthday_bonus', { points: points(bonus) })}</s-text>}
        {trouble && <s-banner tone="warning">{told(trouble)}</s-banner>}
        {known === null ? form() : kept()}
      </s-stack>
    </s-section>
  );

  function form() {
    return (
      <s-stack direction="inline" gap="base" alignItems="end">
        {select('month', month, upTo(12), chooseMonth, (it) => date(it, 1, { month: 'long' }))}
        {select('day', shownDay, upTo(DAYS[month - 1]), chooseDay, String)}
        <s-button
          variant="secondary"
          disabled={busy}
          onClick={() => ask(() => app.tellBirthday(`${two(month)}-${two(shownDay)}`))}
        >
          {say('save')}
        </s-button>
      </s-stack>
    );
  }

  function kept() {
    const [itsMonth, itsDay] = known.split('-').map(Number);
    return (
      <s-stack direction="inline" gap="base" alignItems="center">
        <s-text type="strong">{date(itsMonth, itsDay, { month: 'long', day: 'numeric' })}</s-text>
        <s-button variant="secondary" disabled={busy} onClick={() => ask(app.forgetBirthday)}>
          {say('forget')}
        </s-button>
      </s-stack>
    );
  }

  function select(name, value, all, choose, shown) {
    return (
      <s-select
        label={say(name)}
        value={String(value)}
        disabled={busy}
        onChange={(event) => choose(Number(event.currentTarget.value))}
      >
        {all.map((one) => (
          <s-option key={one} value={String(one)}>
            {shown(one)}
          </s-option>
        ))}
      </s-select>
    );
  }

  /** A day of a leap year, in the reader's words. */
  function date(itsMonth, itsDay, style) {
    return shopify.i18n.formatDate(new Date(Date.UTC(2024, itsMonth - 1, itsDay)), { timeZone: 'UTC', ...style });
  }
}
