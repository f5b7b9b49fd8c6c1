// The workers that have a bridge.

import { Bridge } from './bridge.js';

/** @typedef {ConstructorParameters<typeof Bridge>[1]} BridgeOptions */

export class Bridges {
	#options;
	/** @type {Map<Worker, Bridge>} */
	#bridges = new Map();

	/** @param {BridgeOptions} options */
	constructor(options) {
		this.#options = options;
	}

	/**
	 * The worker's bridge; one is made if there is none.
	 * @param {Worker} worker
	 */
	of(worker) {
		let bridge = this.#bridges.get(worker);
		if (!bridge) {
			bridge = new Bridge(worker, this.#options);
			this.#bridges.set(worker, bridge);
			this.#dropWhenTerminated(worker, bridge);
		}
		return bridge;
	}

	/** Ends all. */
	close() {
		for (const bridge of this.#bridges.values()) bridge.close();
		this.#bridges.clear();
	}

	/**
	 * A worker says nothing when it is ended, so its own terminate() is watched.
	 * @param {Worker} worker
	 * @param {Bridge} bridge
	 */
	#dropWhenTerminated(worker, bridge) {
		const { terminate } = worker;
		worker.terminate = () => {
			terminate.call(worker);
			bridge.ended();
			this.#bridges.delete(worker);
		};
	}
}
