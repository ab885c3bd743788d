// A real Chromium for the tests of this folder.
//
// Run them all with `cargo xtask test`, one with `cargo xtask test "part of its name"`, and without xtask by
// `CHROMIUM=/usr/bin/chromium node --test tests/browser/`.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const screenshots = process.env.SCREENSHOTS ?? path.join(root, 'target/screenshots');

/** The two sizes every page is looked at in. */
export const SIZES = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 390, height: 844 },
};

export const FLAGS = [
  '--no-sandbox', // the tests may run as root, and load only our own pages
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts one browser for a test file and stops it at the end. The returned function opens a page of its own session
 * (cookies, storage), or a second tab of a `session` that is a page.context().
 *
 *     const open = browser();
 *     test('the cart shows the balance', async () => {
 *       const page = await open(url);
 *     });
 */
export function browser() {
  let chrome;
  before(async () => {
    chrome = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: FLAGS,
    });
  });
  after(() => chrome?.close());

  return async function open(url, size = SIZES.desktop, session = undefined) {
    const context = session ?? (await chrome.newContext({ viewport: size, reducedMotion: 'reduce' }));
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && page.errors.push(message.text()));
    await page.goto(url);
    return page;
  };
}

/** The page ran without a script error and without an error in its console. */
export function assertNoErrors(page) {
  assert.deepEqual(page.errors, []);
}

/** Nothing on the page is wider than the screen: no sideways scrolling. */
export async function assertFitsWidth(page) {
  const [content, screen] = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return [scrollWidth, clientWidth];
  });
  assert.ok(content <= screen, `the page is ${content} px wide on a screen of ${screen} px`);
}

/** Notes what moves on a page, from its beginning; call it before the page is loaded. */
export const watchMoves = (page) =>
  page.addInitScript(() => {
    window.moved = [];
    const place = ({ x, y, width, height }) => [x, y, width, height].join(' ');
    const name = ({ node, previousRect: from, currentRect: to }) => `${node?.outerHTML ?? node?.textContent}: ${place(from)} to ${place(to)}`;
    new PerformanceObserver((list) => list.getEntries().forEach(({ sources }) => window.moved.push(...sources.map(name)))).observe({ type: 'layout-shift', buffered: true });
  });

export const assertNothingMoved = async (page) => assert.deepEqual(await page.evaluate(() => window.moved), []);

/** The element that has the keyboard's focus, as `button "Pay"`. */
export async function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const name = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
    return `${element.tagName.toLowerCase()} "${name.trim()}"`;
  });
}

/** Saves the whole page in both sizes as target/screenshots/NAME-desktop.png and NAME-phone.png. */
export async function screenshot(page, name) {
  await mkdir(screenshots, { recursive: true });
  const size = page.viewportSize();
  for (const [device, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    await page.screenshot({ path: path.join(screenshots, `${name}-${device}.png`), fullPage: true });
  }
  await page.setViewportSize(size);
}
