import { signal } from '@preact/signals-core';
import { afterEach, expect, test, vi } from 'vitest';

import { draw } from '../draw.js';

afterEach(() => {
  document.body.replaceChildren();
});

const soon = () => new Promise((resolve) => setTimeout(resolve));

test('a view is drawn at once, and once for all that changes together', async () => {
  const [points, name] = [signal(1), signal('a')];
  const view = vi.fn(() => `${points.value} ${name.value}`);
  draw(view);
  expect(document.body.textContent).toBe('1 a');
  points.value = 2;
  name.value = 'b';
  expect(document.body.textContent).toBe('1 a');
  await soon();
  expect(document.body.textContent).toBe('2 b');
  expect(view).toHaveBeenCalledTimes(2);
});

test('what a view does not read any more has it drawn no more', async () => {
  const [isOpen, text] = [signal(true), signal('a')];
  const view = vi.fn(() => (isOpen.value ? text.value : null));
  draw(view);
  isOpen.value = false;
  await soon();
  expect(document.body.textContent).toBe('');
  text.value = 'b';
  await soon();
  expect(view).toHaveBeenCalledTimes(2);
  isOpen.value = true;
  await soon();
  expect(document.body.textContent).toBe('b');
});
