import { expect, test, vi } from 'vitest';

import { account, door, problem } from '../../../rewards-ui/tests/app.js';
import { progress } from '../../../rewards-ui/tests/progress.js';
import { button, shown, stage } from './stage.js';

const extension = stage('customer-account.profile.block.render');

test('the profile shows the balance and leads to the page', async () => {
  door(extension, { 'GET /account': account({ points: 7, pending: 1 }) });
  await extension.render();
  await vi.waitFor(() => expect(shown()).toContain('7 points'));
  expect(shown()).toContain('1 point on the way');
  expect(button('Rewards and history').getAttribute('href')).toBe('extension:account-rewards/');
});

test('the profile says how far it is to the next tier', async () => {
  door(extension, { 'GET /account': account(), 'GET /tier': progress() });
  await extension.render();
  await vi.waitFor(() => expect(shown()).toContain('£180.00 to go to Gold'));
});

test('where the balance is not known, there is only the way', async () => {
  door(extension, { 'GET /account': problem(500, 'internal') });
  await extension.render();
  expect(shown()).not.toContain('point on');
  expect(button('Rewards and history')).toBeDefined();
});
