// All that every page of the shop loads. The rest comes when somebody reaches for it, from beside this file.
(() => {
  if (!window.customElements || customElements.get('loyalnest-shopper')) return;

  const beside = document.currentScript.src;
  const load = (name) => import(new URL(name, beside));
  const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 200));

  /** The link or button that leads to the panel. */
  const control = ({ target }) => target instanceof Element && target.closest('[data-loyalnest]');

  /** What Liquid knows of the shopper; blocks and embed write the same. */
  const shopper = () => document.querySelector('loyalnest-shopper');

  async function open(button) {
    button.setAttribute('aria-busy', 'true');
    try {
      const { open } = await load('panel.js');
      await open(shopper(), button);
    } catch (error) {
      // Offline, or a policy forbids the file: the page goes on without it.
      console.warn('LoyalNest:', error);
      say(button);
    } finally {
      button.removeAttribute('aria-busy');
    }
  }

  /** Says beside the button that its panel does not open. */
  function say(button) {
    if (button.nextElementSibling?.matches('.loyalnest-failed')) return;
    const note = document.createElement('span');
    note.className = 'loyalnest-failed';
    note.setAttribute('role', 'alert');
    try {
      note.textContent = JSON.parse(shopper().dataset.words)['panel.failed'];
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

  customElements.define(
    'loyalnest-shopper',
    class extends HTMLElement {
      connectedCallback() {
        if (this === shopper() && isStale(this.dataset)) {
          idle(() => load('panel.js').then(({ tidy }) => tidy(this)).catch(() => {}));
        }
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
