// What is measured, a family of measurements each.

import { bulk, open } from './bulk.mjs';
import { cold } from './cold.mjs';
import { latency } from './latency.mjs';
import { load } from './load.mjs';
import { sizes, startup } from './startup.mjs';
import { warm } from './warm.mjs';
import { webr } from './webr.mjs';

export const families = { cold, warm, bulk, open, latency, load, startup, sizes, webr };
