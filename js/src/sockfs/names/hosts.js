// Which name an address stands for. A program looks a name up and connects to an address; the
// server dials the name, because its policy has rules about names.

/** A table of one program. */
export class Hosts {
	/** By address. @type {Map<string, string>} */
	#names = new Map();
	/** By name. @type {Map<string, string>} */
	#addresses = new Map();

	/**
	 * Notes that connect() to an address means a name. A later name takes the address over.
	 * @param {string} name
	 * @param {string} address
	 */
	note(name, address) {
		if (name === address) return;
		this.#names.set(address, name);
		this.#addresses.set(name, address);
	}

	/** Notes that connect() to an address means the address. @param {string} address */
	forget(address) {
		this.#names.delete(address);
	}

	/** Returns the name, or the address itself if it stands for none. @param {string} address */
	nameOf(address) {
		return this.#names.get(address) ?? address;
	}

	/** @param {string} name @returns {string | undefined} */
	addressOf(name) {
		return this.#addresses.get(name);
	}
}
