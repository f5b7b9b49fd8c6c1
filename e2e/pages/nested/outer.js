// A worker that starts workers: each message is an act and its arguments. What the nested workers
// say goes to the one above.

/** @type {Worker[]} */
const workers = [];

/** @type {Record<string, (...args: any[]) => void>} */
const acts = {
	start(url, options) {
		const worker = new Worker(url, options);
		worker.onmessage = ({ data }) => postMessage(data);
		worker.onerror = ({ message }) => postMessage(`error ${message}`);
		workers.push(worker);
	},
	post: (index, message) => workers[index].postMessage(message),
	terminate: (index) => workers[index].terminate(),
	close: () => self.close(),
	block() {
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
	},
};

onmessage = ({ data }) => {
	for (const [act, ...args] of data) acts[act](...args);
};
postMessage('outer');
