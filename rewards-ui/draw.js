// Drawing what signals say, and drawing it anew once they say something else.
//
// `@shopify/ui-extensions/preact` and `@preact/signals` do that for each component; they are a tenth of a bundle that is
// to be small. A view that fits on a screen may as well be drawn whole.

import { effect, Signal } from '@preact/signals-core';
import { render } from 'preact';

// Shopify's values are signals once they know which.
globalThis.shopify?.setSignals?.(Signal);

/** Draws a view into the page, and again when a signal changes that it has read. */
export function draw(view) {
  let isDrawn = false;
  const stop = effect(() => {
    if (isDrawn) {
      queueMicrotask(again); // what changes together is drawn once
    } else {
      isDrawn = true;
      render(view(), document.body);
    }
  });
  function again() {
    stop();
    draw(view);
  }
}
