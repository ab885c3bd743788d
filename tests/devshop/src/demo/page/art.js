// Drawings of the products.

import { raw } from './dom.js';

const INK = '#3a3128';
const CREAM = '#f6ecd9';

function bag(body, fold, motif) {
  return `<path fill="${body}" d="M54 24h52l4 13v66a5 5 0 0 1-5 5H55a5 5 0 0 1-5-5V37z"/>
    <path fill="${fold}" d="M54 24h52l4 13H50z"/><path stroke="${CREAM}" stroke-width="1.5" opacity=".5" d="M54 30h52"/>
    <rect x="60" y="50" width="40" height="42" rx="2" fill="${CREAM}"/>${motif}
    <path stroke="${INK}" stroke-width="1.5" opacity=".45" d="M68 84h24M72 88h16"/>`;
}

const bean = `<g transform="rotate(28 80 66)"><ellipse cx="80" cy="66" rx="9" ry="13" fill="#5b3a26"/>
  <path d="M80 54c-4 8 4 16 0 24" stroke="${CREAM}" stroke-width="1.8" fill="none"/></g>`;
const jasmine = [0, 72, 144, 216, 288]
  .map((turn) => `<ellipse cx="80" cy="58" rx="4.4" ry="8" fill="#d98b66" transform="rotate(${turn} 80 66)"/>`)
  .join('');
const apple = `<path fill="#b4432f" d="M80 60c-10-5-15 3-12 11 3 9 8 9 12 7 4 2 9 2 12-7 3-8-2-16-12-11z"/>
  <path d="M80 60c0-5 2-7 5-8" stroke="${INK}" stroke-width="1.8" fill="none"/>`;
const moon = '<path fill="#3c5470" d="M86 54a13 13 0 1 0 4 21 15 15 0 0 1-4-21z"/>';
const fern = `<path d="M0 24C2 12 8 4 18 0M4 15l-5-6M7 10 4 2M12 5l-1-5M5 14l8 1M9 8l7 1" fill="none"
  stroke-width="2.2" stroke-linecap="round"/>`;

const DRAWINGS = {
  'house-espresso': bag('#4a3728', '#3a2a1e', bean),
  'ethiopia-guji': bag('#b5613c', '#96492a', `${jasmine}<circle cx="80" cy="66" r="3.6" fill="#f0c862"/>`),
  'colombia-huila': bag('#5d7350', '#485c3d', apple),
  'sugarcane-decaf': bag('#7d90a6', '#63778e', moon),
  'cold-brew-bags': `<path fill="#f7f5ee" stroke="#b9c2bd" stroke-width="2" d="M60 34h40v8c8 3 11 8 11 14v46a6 6 0 0 1-6 6H55a6 6 0 0 1-6-6V56c0-6 3-11 11-14z"/>
    <path fill="#5a3822" d="M51 66h58v36a4 4 0 0 1-4 4H55a4 4 0 0 1-4-4z"/><rect x="56" y="23" width="48" height="12" rx="2" fill="#a98a5b"/>
    <path d="M86 35c5 10 1 16 1 22" stroke="${INK}" stroke-width="1.4"/><path fill="#c9a878" d="M75 56h24l-3 32H78z"/>
    <path d="M58 56v42" stroke="#fff" stroke-width="3" opacity=".5" stroke-linecap="round"/>`,
  'pour-over-dripper': `<path fill="#fbf6ea" d="M46 34h68L92 76H68z"/><path d="m56 34 15 42m-2-42 7 42m15-42-7 42m20-42L89 76" stroke="#cfc4ae" stroke-width="1.6"/>
    <ellipse cx="80" cy="34" rx="34" ry="6" fill="#e9dfca"/><ellipse cx="80" cy="34" rx="28" ry="4" fill="#5b3a26"/>
    <path d="M110 42c16-2 15 18-9 17" stroke="#fbf6ea" stroke-width="5" fill="none"/><rect x="54" y="76" width="52" height="6" rx="3" fill="#e9dfca"/>
    <path d="M80 84v6" stroke="#5b3a26" stroke-width="2.5" stroke-linecap="round"/><path fill="#8aa08d" d="M60 94h40l-3 14H63z"/>`,
  'paper-filters': `<g stroke="#d9c7a4" stroke-width="1.4"><path fill="#efe0c0" d="M34 42h60L70 98H58z"/><path fill="#f6ead0" d="M48 38h60L84 96H72z"/>
    <path fill="#fdf6e6" d="M62 34h62L98 96H88z"/></g><path d="m70 42 22 50m26-50L95 92" stroke="#e6d6b4" stroke-width="1.4"/>`,
  'hand-grinder': `<path d="M80 26h34" stroke="#7a6a58" stroke-width="5" stroke-linecap="round"/><circle cx="116" cy="26" r="7" fill="#a06a3e"/>
    <rect x="76" y="24" width="8" height="14" fill="#7a6a58"/><path fill="#c9c5ba" d="M62 38h36l2 8H60z"/><rect x="60" y="46" width="40" height="30" rx="2" fill="#9fa39c"/>
    <rect x="60" y="76" width="40" height="32" rx="4" fill="#4a5a52"/><path d="M66 50v22" stroke="#fff" stroke-width="4" opacity=".4" stroke-linecap="round"/>`,
  'gooseneck-kettle': `<path d="M104 88c22 0 10-46 30-50" stroke="#37474a" stroke-width="6" fill="none" stroke-linecap="round"/>
    <path fill="#37474a" d="M52 60h50l8 42a5 5 0 0 1-5 6H49a5 5 0 0 1-5-6z"/><path fill="#2b383a" d="M56 52h42l4 8H52z"/><circle cx="77" cy="47" r="5" fill="#b07a45"/>
    <path d="M50 62c-26-16-28 26-8 34" stroke="#b07a45" stroke-width="6" fill="none" stroke-linecap="round"/><path d="m62 68-5 30" stroke="#fff" stroke-width="4" opacity=".22" stroke-linecap="round"/>`,
  'stoneware-mug': `<path d="M70 40c-5-6 5-10 0-17m14 17c-5-6 5-10 0-17" stroke="#fff" stroke-width="3" opacity=".75" fill="none" stroke-linecap="round"/>
    <path d="M100 62c22-4 22 28-4 27" stroke="#6d8062" stroke-width="8" fill="none"/><path fill="#7d9170" d="M48 50h56v46a12 12 0 0 1-12 12H60a12 12 0 0 1-12-12z"/>
    <path fill="#d9cdb4" d="M48 84c18 8 38-6 56 2v10a12 12 0 0 1-12 12H60a12 12 0 0 1-12-12z"/><ellipse cx="76" cy="50" rx="28" ry="6" fill="#5b6b50"/><ellipse cx="76" cy="51" rx="23" ry="4" fill="#4a2f1e"/>`,
  'tea-towel': `<path d="M40 22h80" stroke="#8a6a45" stroke-width="5" stroke-linecap="round"/><path fill="#fbf6ea" d="M50 22h60v80l-5 4-5-4-5 4-5-4-5 4-5-4-5 4-5-4-5 4-5-4-5 4z"/>
    <path d="M50 32h60" stroke="#b5613c" stroke-width="3"/><path d="M50 37h60" stroke="#b5613c" stroke-width="1"/><path fill="#7f9b76" d="M50 84c16-26 26-24 34-10 8-12 18-10 26 2v12H50z"/>
    <path fill="#5d7a58" d="M50 92c20-16 42-10 60-4v8H50z"/><circle cx="98" cy="56" r="6" fill="#e3b35f"/>`,
  'gift-card': `<g transform="rotate(-6 80 64)"><rect x="36" y="36" width="88" height="56" rx="6" fill="#2f5c45"/><path fill="#26503b" d="M36 76h88v10a6 6 0 0 1-6 6H42a6 6 0 0 1-6-6z"/>
    <path d="M104 36v56" stroke="#e3b35f" stroke-width="6"/><path fill="#e3b35f" d="M104 52c-14-16-20 2 0 2 20 0 14-18 0-2z"/><g transform="translate(50 48)" stroke="${CREAM}">${fern}</g></g>`,
};

/** The drawing of a product, decorative. */
export const picture = (handle) =>
  raw(`<svg viewBox="0 0 160 130" aria-hidden="true" fill="none">${DRAWINGS[handle] ?? ''}</svg>`);
