// What the app's blocks cost a page of the local shop's theme: Lighthouse with and without them, the median of nine.
// Prints `{"with", "without", "drop", "cls"}` and fails when they cost more than three points, or anything moves.

import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';
import { account, start, tell } from '../browser/theme.mjs';

const RUNS = 9;
const MOST = 3;

const shop = { answers: {}, asked: [] };
const stop = await start(shop);
const chrome = await launch({ chromePath: process.env.CHROMIUM ?? '/usr/bin/chromium', chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu'] });

/** Score out of a hundred, and how much moved. */
async function measure(page) {
  const cookie = `devshop_customer=${shop.customer}`;
  const options = { port: chrome.port, onlyCategories: ['performance'], extraHeaders: { cookie }, logLevel: 'error' };
  const { lhr } = await lighthouse(shop.url + page, options);
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  return { score: lhr.categories.performance.score * 100, cls: lhr.audits['cumulative-layout-shift'].numericValue };
}

try {
  await tell(shop, 'account', account(1_500, { pending: 20 }));
  const scores = { with: [], without: [] };
  let cls = 0;
  // In turns, so that a machine that gets busier is busier for both.
  for (let run = 0; run < RUNS; run++) {
    scores.without.push((await measure('/store?app=false')).score);
    const measured = await measure('/store');
    scores.with.push(measured.score);
    cls = Math.max(cls, measured.cls);
  }
  const median = (values) => values.sort((a, b) => a - b)[(RUNS - 1) / 2];
  const [withApp, without] = [median(scores.with), median(scores.without)].map(Math.round);
  console.log(JSON.stringify({ with: withApp, without, drop: without - withApp, cls }));
  if (without - withApp > MOST || cls > 0) process.exitCode = 1;
} finally {
  await chrome.kill();
  stop();
}
