// The rules as extensions have them: in a worker of a real browser.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before } from 'node:test';
import { assertNoErrors, browser } from '../browser/browser.mjs';
import { script, wasm } from './builds.mjs';

/**
 * Serves these entries of the rules for as long as a file's tests run. `answer(rules, question)` is what a worker does with
 * each question, with nothing but what is passed to it. Gives `ask(entry, place, questions)`, a promise of the answers;
 * below `/strict` no script may be made of a text, as in any place where extensions run.
 */
export function workers(entries, answer) {
  const open = browser();
  const asked = `;onmessage = async ({ data: { bytes, questions } }) => {
    const rules = await loyalty.rules(bytes);
    postMessage(questions.map((question) => (${answer})(rules, question)));
  };`;
  let server;
  let address;

  before(async () => {
    const files = { '/rules.wasm': await wasm() };
    for (const entry of entries) files[`/${entry}`] = (await script(entry)) + asked;
    server = http.createServer(({ url }, response) => {
      response.setHeader('content-type', url.endsWith('.js') ? 'text/javascript' : 'text/html');
      if (url.includes('strict')) response.setHeader('content-security-policy', "script-src 'self'");
      response.end(files[url.replace('/strict', '')] ?? '<!doctype html><link rel="icon" href="data:,">');
    });
    await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
    address = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => server.close());

  return async (entry, place, questions) => {
    const page = await open(address);
    const answers = await page.evaluate(askAll, { source: `${place}/${entry}`, wasm: '/rules.wasm', questions });
    assertNoErrors(page);
    assert.equal(answers.length, questions.length);
    return answers;
  };
}

/** In the page: has a worker load the script and ask it. */
async function askAll({ source, wasm, questions }) {
  const bytes = await (await fetch(wasm)).arrayBuffer();
  const worker = new Worker(source);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ bytes, questions });
  });
}
