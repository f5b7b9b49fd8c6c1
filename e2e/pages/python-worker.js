// Pyodide in a classic worker. Messages are [id, code, signals]; the answer is what it prints.
/* global importScripts, loadPyodide */

importScripts('modules/pyodide-classic/pyodide.js', 'python-run.js');
self.answer(loadPyodide, 'modules/pyodide-classic/');
