// The demo's owner, who changes what the program has.

import assert from 'node:assert/strict';

/** The member of staff whom the local shop belongs to. */
const OWNER = 42;

/** Gives the program other settings. */
export async function changeProgram(shop, settings) {
  const { token } = await (await fetch(`${shop.url}/shop/staff/${OWNER}/token`)).json();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const url = `${shop.backend}/api/program`;
  const known = await fetch(url, { headers });
  const { program } = await known.json();
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { ...headers, 'if-match': known.headers.get('etag') },
    body: JSON.stringify({ ...program, ...settings }),
  });
  assert.equal(answer.status, 200, await answer.text());
}
