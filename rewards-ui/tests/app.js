// The app's door, as an extension sees it: answers by method and path, and what was asked.

import { vi } from 'vitest';

const json = (body, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

export const problem = (status, code) => json({ type: 'about:blank', title: code, status, code }, status);

export const account = (rest = {}) => ({
  points: 1392,
  pending: 0,
  held: 0,
  seq: 1,
  next: null,
  redemption: null,
  ...rest,
});

/**
 * Puts the door into an extension's `fetch`. An answer is a body, a Response, or a function that gives either.
 *
 * @param {Record<string, any>} answers by `GET /account`
 */
export function door(extension, answers = {}) {
  vi.stubEnv('APP_URL', 'https://app.example/');
  const asked = [];
  const all = { 'GET /account': account(), ...answers };
  extension.fetch = vi.fn(async (url, { method, headers, body }) => {
    const { origin, pathname } = new URL(url);
    if (origin !== 'https://app.example') throw new TypeError('Failed to fetch');
    const name = `${method} ${pathname.replace(/^\/ext/, '')}`;
    asked.push({ name, token: headers.Authorization, body: body && JSON.parse(body) });
    const answer = all[name] ?? problem(404, 'not_found');
    const given = typeof answer === 'function' ? await answer() : answer;
    return given instanceof Response ? given.clone() : json(given);
  });
  return { asked, answers: all };
}
