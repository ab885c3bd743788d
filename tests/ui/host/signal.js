// The values of the `shopify` global that change. Once an extension hands over its `Signal` class, reading `value` while it
// renders makes it render again; `subscribe` tells of changes only, as Shopify's does.

let Signal;

/** `shopify.setSignals`, which `@shopify/ui-extensions/preact` calls. */
export const useSignals = (given) => {
  Signal = given;
};

export class HostSignal {
  #plain;
  #signal;
  #subscribers = new Set();

  constructor(value) {
    this.#plain = value;
  }

  get value() {
    if (Signal) this.#signal ??= new Signal(this.#plain);
    return this.#signal ? this.#signal.value : this.#plain;
  }

  get current() {
    return this.#plain;
  }

  set(value) {
    this.#plain = value;
    if (this.#signal) this.#signal.value = value;
    for (const tell of this.#subscribers) tell(value);
  }

  subscribe(tell) {
    this.#subscribers.add(tell);
    return () => this.#subscribers.delete(tell);
  }

  async destroy() {
    this.#subscribers.clear();
  }
}
