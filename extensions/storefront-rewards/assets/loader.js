// All that every page of the shop loads. The rest comes when somebody reaches for it, from beside this file.
(() => {
  if (!window.customElements || customElements.get('loyalnest-shopper')) return;

  const beside = document.currentScript.src;
  const load = (name) => import(new URL(name, beside));
  const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 200));

  /** The link or button that leads to the panel, or the one that shows a member's own link. */
  const control = ({ target }) => target instanceof Element && target.closest('[data-loyalnest], [data-loyalnest-link]');

  /** What Liquid knows of the shopper; blocks and embed write the same. */
  const shopper = () => document.querySelector('loyalnest-shopper');

  async function open(button) {
    button.setAttribute('aria-busy', 'true');
    if (button.nextElementSibling?.matches('.loyalnest-failed')) button.nextElementSibling.remove();
    try {
      if (button.matches('[data-loyalnest-link]')) await (await load('referral.js')).link(shopper(), button);
      else await (await load('panel.js')).open(shopper(), button);
    } catch (error) {
      // Offline, or a policy forbids the file: the page goes on without it.
      console.warn('LoyalNest:', error);
      say(button, { not_signed_in: 'referral.guest', no_referrals: 'referral.none' }[error.code] ?? 'panel.failed');
    } finally {
      button.removeAttribute('aria-busy');
    }
  }

  /** Says beside a button why nothing came of it. */
  function say(button, key) {
    const note = document.createElement('span');
    note.className = 'loyalnest-failed';
    note.setAttribute('role', 'alert');
    try {
      note.textContent = JSON.parse(shopper().dataset.words)[key];
    } catch {
      return;
    }
    button.after(note);
  }

  document.addEventListener('click', (event) => {
    const button = control(event);
    if (!button || !shopper()) return;
    event.preventDefault();
    open(button);
  });

  // Whoever points at it will probably press it.
  const soon = (event) => {
    if (!control(event)) return;
    for (const kind of ['pointerover', 'focusin']) document.removeEventListener(kind, soon);
    load('panel.js').catch(() => {});
  };
  for (const kind of ['pointerover', 'focusin']) document.addEventListener(kind, soon, { passive: true });

  /**
   * Whether the cart carries the mark of something that, as Liquid knows it, does not stand. Whoever is not signed in may
   * be before they check out: their mark stays.
   */
  function isStale({ customer, mark, account }) {
    if (!customer || !mark) return false;
    try {
      return !mark.startsWith(`${JSON.parse(account).hold.id}.`);
    } catch {
      return true;
    }
  }

  /** The code of a friend's link in the address; links of others may have a `ref`, too. */
  const code = () => {
    const given = new URLSearchParams(location.search).get('ref')?.trim().toUpperCase();
    return /^[2-9A-HJKMNP-TV-Z]{8}$/.test(given) ? given : undefined;
  };

  /** The one that an earlier page has kept, as referral.js writes it. */
  const kept = () => {
    try {
      return JSON.parse(localStorage.getItem('loyalnest-ref'));
    } catch {
      return null; // there is no storage, or none is allowed
    }
  };

  /** Whether one was kept that is still to be asked about, noted on the cart or told. */
  const isOpen = ({ customer, ref }) => {
    const it = kept();
    return it && !it.said && (customer || !it.known || it.code !== ref);
  };

  customElements.define(
    'loyalnest-shopper',
    class extends HTMLElement {
      connectedCallback() {
        if (this !== shopper()) return;
        if (isStale(this.dataset)) idle(() => load('panel.js').then(({ tidy }) => tidy(this)).catch(() => {}));
        if (code() || isOpen(this.dataset)) {
          idle(() => load('referral.js').then(({ arrive }) => arrive(this, code())).catch(() => {}));
        }
      }
    },
  );

  customElements.define(
    'loyalnest-referral',
    class extends HTMLElement {
      connectedCallback() {
        if (shopper()?.dataset.customer === '' && kept()?.known) this.tell('invited');
      }

      /** Says what fits another state. Whatever it may say has its place on the page: nothing moves. */
      tell(state) {
        const all = [...this.querySelectorAll('[data-when]')];
        if (!all.some(({ dataset }) => dataset.when === state)) return;
        for (const it of all) it.toggleAttribute('data-off', it.dataset.when !== state);
      }
    },
  );

  customElements.define(
    'loyalnest-earn',
    class extends HTMLElement {
      connectedCallback() {
        if (this.watched || !window.IntersectionObserver) return;
        this.watched = new IntersectionObserver((entries) => {
          if (!entries.some(({ isIntersecting }) => isIntersecting) || !shopper()) return;
          this.watched.disconnect();
          idle(() => load('earn.js').then(({ show }) => show(this, shopper())).catch(() => {}));
        });
        this.watched.observe(this);
      }
    },
  );
})();
