// Which page this is.

import * as pages from './surface-pages.js';

const name = location.pathname.split('/').pop();
document.body.dataset.page = name;
await pages[name]();
document.documentElement.dataset.ready = '';
