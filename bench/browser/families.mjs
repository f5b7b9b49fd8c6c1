// What is measured, a family of measurements each.

import { bulk, open } from './bulk.mjs';
import { latency } from './latency.mjs';
import { load } from './load.mjs';
import { sizes, startup } from './startup.mjs';
import { webr } from './webr.mjs';

export const families = { bulk, open, latency, load, startup, sizes, webr };
