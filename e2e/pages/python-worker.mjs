// The same in a module worker.

import { loadPyodide } from './modules/pyodide/pyodide.mjs';
import './python-run.js';

self.answer(loadPyodide, 'modules/pyodide/');
