// Runs Python for python-worker.js and python-worker.mjs.

self.answer = (loadPyodide, folder) => {
	const started = loadPyodide({ indexURL: new URL(folder, self.location.href).href });
	self.onmessage = async ({ data: [id, code, signals] }) => {
		const python = await started;
		python.setInterruptBuffer(signals);
		const lines = [];
		python.setStdout({ batched: (line) => lines.push(line) });
		try {
			// A loop of Python's own cannot run within a task of Pyodide's.
			if (code.startsWith('# no task')) python.runPython(code);
			else await python.runPythonAsync(code);
		} catch (error) {
			lines.push(error.message.trim().split('\n').pop());
		}
		postMessage([id, lines.join('\n')]);
	};
};
