// Known hosts: the keys that the user has trusted, in the browser's storage.

const STORE = 'sockmux.ssh.hosts';

/** @typedef {{ type: string, fingerprint: string }} Key */

/** @returns {Record<string, Key>} */
function stored() {
	try {
		return JSON.parse(localStorage.getItem(STORE) ?? '{}');
	} catch {
		return {}; // no storage here: the user is asked each time
	}
}

/** @param {string} host @param {Key} key */
function store(host, key) {
	try {
		localStorage.setItem(STORE, JSON.stringify({ ...stored(), [host]: key }));
	} catch { /* as in stored() */ }
}

/**
 * What is known of a host, and the question whether a key of it is the right one.
 * @param {HTMLDialogElement} dialog
 * @param {string} host
 */
export function ask(dialog, host) {
	const known = stored()[host];
	/** @param {string} type @param {string} fingerprint @returns {Promise<boolean>} */
	const trusted = async (type, fingerprint) => {
		if (known?.fingerprint === fingerprint) return true;
		const set = (/** @type {string} */ name, /** @type {string} */ text) => {
			const part = /** @type {HTMLElement} */ (document.getElementById(`host-key${name}`));
			part.textContent = text;
			part.hidden = text === '';
		};
		dialog.dataset.changed = String(known !== undefined);
		set('-title', known ? 'The key of this host has changed' : 'Is this the right host?');
		set('-text', known
			? 'Another machine may stand between you and the host. Go on only if you know why the key is another one.'
			: 'This page has not seen the host before. Compare the fingerprint with one that you have from a source you trust.');
		set('-host', host);
		set('-type', type);
		set('-fingerprint', fingerprint);
		set('-known-label', known ? 'Known before' : '');
		set('-known', known?.fingerprint ?? '');
		dialog.returnValue = 'no';
		dialog.showModal();
		await new Promise((resolve) => { dialog.addEventListener('close', resolve, { once: true }); });
		if (dialog.returnValue !== 'yes') return false;
		store(host, { type, fingerprint });
		return true;
	};
	return { knownType: known?.type ?? '', trusted };
}
