// The panel: what a member has, what it buys for this cart, and picking it. State is here, its looks are in view.js.

import { accountOf, parsed } from './account.js';
import { fill } from './dom.js';
import * as referral from './referral.js';
import { cartOf, rules } from './rules.js';
import { app, cart, Refused } from './shop.js';
import { dialog, theme } from './theme.js';
import { draw, news } from './view.js';
import { speaker } from './words.js';

/** How often, and how many times, the app is asked whether a pick is there. */
const PAUSE = 1_000;
const TRIES = 20;

let panel;

/** Opens the panel for what Liquid knows of the shopper; `button` may name a reward to begin with. */
export async function open(shopper, button) {
  panel ??= new Panel(shopper);
  await panel.open(button?.dataset.loyalnest);
}

/** Takes a mark out of the cart that names nothing which stands, if the app agrees. */
export async function tidy({ dataset }) {
  const { redemption } = await app(dataset.proxy).account();
  if (!redemption || !dataset.mark.startsWith(`${redemption.id}.`)) await cart(dataset).mark('');
}

class Panel {
  constructor({ dataset }) {
    this.page = dataset;
    this.app = app(dataset.proxy);
    this.shop = cart(dataset);
    this.words = speaker(dataset);
    this.program = parsed(dataset.program);
    this.account = parsed(dataset.account);
    this.isGuest = !dataset.customer;
    this.dialog = dialog(this.words, () => this.closed());
    referral.listen(() => this.dialog.open && this.hear());
    // Another tab may have changed everything.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.dialog.open) this.refresh();
    });
  }

  async open(reward) {
    this.problem = this.note = this.sure = undefined;
    this.wanted = reward;
    await theme(this.dialog);
    // Only now: what is heard while the dialog is not open is not told again.
    this.hear();
    this.draw();
    if (!this.dialog.open) this.dialog.showModal();
    await this.refresh();
    if (reward) this.dialog.querySelector(`[data-key="${CSS.escape(`use-${reward}`)}"]`)?.focus();
  }

  /** What there is to say of a friend's link. */
  hear() {
    this.sent = referral.news(this.page) ?? this.sent;
    if (this.dialog.open) this.draw();
  }

  /** What themes draw of the cart, the discount for one, is theirs to draw again. */
  closed() {
    if (this.changed && document.querySelector('[data-loyalnest-cart]')) location.reload();
  }

  /** Reads everything that may have changed. What cannot be read leaves what is known. */
  async refresh() {
    if (!this.isGuest) this.look();
    const [offers, read, told] = await Promise.allSettled([
      rules(),
      this.shop.read(),
      this.isGuest ? undefined : this.app.account(),
    ]);
    if (offers.status === 'fulfilled') this.rules = offers.value;
    else this.problem = 'rules';
    if (read.status === 'fulfilled') this.cart = read.value;
    else this.problem = read.reason.code;
    if (told.status === 'rejected') this.fail(told.reason);
    else if (told.value) this.tell(told.value);
    this.work();
    await this.dropStale(told);
    this.draw();
  }

  /** How far it is to the next tier: nothing waits for it, and without it the panel says no less than before. */
  look() {
    this.app.tier().then((progress) => {
      this.progress = progress;
      this.draw();
    }, () => {});
  }

  /** Takes over what the app says. */
  tell(said) {
    this.account = accountOf(said, this.account, this.program);
    this.redemption = said.redemption;
  }

  work() {
    if (!this.rules || !this.cart) return;
    const account = this.isGuest ? null : (this.account ?? null);
    this.offers = this.rules.offers(account, this.program ?? null, cartOf(this.cart, this.shop.markOf(this.cart)));
  }

  /** A mark is taken away only when the app itself said what stands. */
  async dropStale({ status, value }) {
    if (status !== 'fulfilled' || !value || this.offers?.mark !== 'stale') return;
    await this.mark('').then(() => (this.note = this.words.say('hold.stale')), (error) => this.fail(error));
  }

  async mark(mark) {
    this.cart = await this.shop.mark(mark);
    this.changed = true;
    this.work();
  }

  pick = (reward, points) =>
    this.act(async () => {
      const wish = { reward, points, currency: this.cart.currency, scope: 'cart' };
      let redemption = await this.app.pick(wish);
      for (let tries = 0; redemption.state === 'opening' && tries < TRIES; tries++) {
        this.redemption = redemption;
        this.draw();
        await new Promise((done) => setTimeout(done, PAUSE));
        redemption = (await this.app.account()).redemption ?? { state: 'released' };
      }
      if (redemption.state === 'opening') return;
      if (!redemption.mark) throw new Refused('redemption_ended', 409);
      await this.mark(redemption.mark);
      this.note = this.words.say('hold.picked', { points: this.words.points(redemption.points) });
    });

  /** Nobody can take back what is paid out, so it takes a second press; none takes the question away. */
  ask = (reward) => {
    this.sure = reward;
    this.draw();
  };

  /** Until the app has answered, asking again is asking for the same: nothing is paid out twice. */
  payOut = (reward) =>
    this.act(async () => {
      const { currency } = this.cart;
      if (this.payout?.reward !== reward) this.payout = { id: crypto.randomUUID(), reward, currency };
      const paid = await this.app.payOut(this.payout).catch((error) => {
        if (error.code !== 'down') this.payout = undefined;
        throw error;
      });
      this.payout = undefined;
      if (paid.state === 'refused') throw new Refused('payout_refused', 200);
      this.note = this.words.say('hold.paid', { amount: this.words.money(paid.value, paid.currency) });
    });

  /** Puts what is held into this cart. */
  useHere = () => this.act(() => this.mark(this.redemption?.mark ?? `${this.offers.hold.id}.1`));

  takeBack = () =>
    this.act(async () => {
      await this.app.takeBack(this.redemption?.id ?? this.offers.hold.id);
      if (this.shop.markOf(this.cart)) await this.mark('');
      this.note = this.words.say('hold.taken_back');
    });

  /** One thing at a time; whatever came of it, everything is read again. */
  async act(what) {
    if (this.busy) return;
    this.busy = true;
    this.problem = this.note = this.sure = undefined;
    this.draw();
    await what().catch((error) => this.fail(error));
    this.busy = false;
    this.draw();
    await this.refresh();
  }

  fail({ code }) {
    this.problem = code ?? 'down';
    if (code !== 'not_signed_in') return;
    // What Liquid wrote for who was signed in is nobody's any more.
    this.isGuest = true;
    this.redemption = undefined;
    this.work();
  }

  draw() {
    fill(this.dialog.content, ...draw(this));
    const { said } = this.dialog;
    if (said.textContent !== news(this)) said.textContent = news(this);
    said.classList.toggle('problem', Boolean(this.problem));
  }
}
