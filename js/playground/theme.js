// Light or dark: what the system says, until the button says otherwise.

const KEY = 'sockmux.playground.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** @returns {'light' | 'dark' | null} */
function stored() {
	try {
		const value = localStorage.getItem(KEY);
		return value === 'light' || value === 'dark' ? value : null;
	} catch {
		return null; // storage is forbidden here: the choice lasts as long as the page
	}
}

/** @param {HTMLElement} button */
export function followTheme(button) {
	let chosen = stored();
	const apply = () => {
		const dark = (chosen ?? (system.matches ? 'dark' : 'light')) === 'dark';
		document.documentElement.dataset.theme = dark ? 'dark' : 'light';
		button.setAttribute('aria-pressed', String(dark));
	};
	apply();
	system.addEventListener('change', apply);
	button.addEventListener('click', () => {
		chosen = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
		try {
			localStorage.setItem(KEY, chosen);
		} catch { /* as in stored() */ }
		apply();
	});
}
