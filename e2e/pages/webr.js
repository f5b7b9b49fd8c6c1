// What the pages share: real webR behind three functions that the tests call.
globalThis.startWebR = async ({ baseUrl = '/webr/', attach = false, channel } = {}) => {
	const base = new URL(baseUrl, location.href).href;
	const { WebR, ChannelType } = await import(`${base}webr.js`);
	const webR = new WebR({ baseUrl: base, interactive: true, ...(channel && { channelType: ChannelType[channel] }) });
	globalThis.webR = webR;
	await webR.init();
	if (attach) await globalThis.sockmux.attach(webR);
	return webR.version;
};

/**
 * Plain data of an R object: one value for length 1, an array for more, an object for a
 * named list.
 */
const plain = (js) => {
	if (js === null || typeof js !== 'object') return js;
	if (js.type === 'null') return null;
	const values = js.values.map(plain);
	if (js.names && js.type === 'list') return Object.fromEntries(js.names.map((name, i) => [name, values[i]]));
	return values.length === 1 && js.type !== 'list' ? values[0] : values;
};

globalThis.evalR = async (code) => {
	const shelter = await new globalThis.webR.Shelter();
	try {
		const { result, output } = await shelter.captureR(code, { withAutoprint: false, captureConditions: false, captureGraphics: false });
		for (const { type, data } of output) console.log(`R ${type}: ${data}`);
		return plain(await result.toJs());
	} finally {
		await shelter.purge();
	}
};
