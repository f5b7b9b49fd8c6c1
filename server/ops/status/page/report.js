// The document that the page polls (server/ops/status/report.go). Times are milliseconds
// of Unix time, durations milliseconds.

/** @typedef {{ code: string, meaning: string, count: number }} End */
/** @typedef {{ id: string, identity?: string, peer: string, agent?: string, began: number, parked: boolean, streams: number, rtt?: number }} Session */
/** @typedef {'connecting' | 'open' | 'page-closed' | 'target-closed' | 'closing' | 'failed'} State */
/** @typedef {{ number: number, session: string, target: string, remote?: string, state: State, up: number, down: number, began: number, opened?: number }} Stream */
/** @typedef {{ stage: string, reason: string, meaning?: string, count: number }} Reason */
/** @typedef {{ at: number, stage: string, reason: string, session?: string, identity?: string, peer?: string, target?: string, text: string }} Refusal */
/** @typedef {{ step: number, at: number, up: number[], down: number[], streams: number[], refused: number[] }} History */

/**
 * @typedef {object} Report
 * @property {string} version
 * @property {string} [scriptURL]
 * @property {number} now
 * @property {number} began
 * @property {boolean} draining
 * @property {number} carriers
 * @property {number} up
 * @property {number} down
 * @property {End[]} ended
 * @property {{ live: number, parked: number, opened: number, resumed: number, list: Session[] }} sessions
 * @property {{ live: number, list: Stream[] }} streams
 * @property {{ counts: Reason[], recent: Refusal[] }} refusals
 * @property {History} history
 */

/** A server that does not answer within this time is as good as gone. */
const TIMEOUT = 5000;

/** @returns {Promise<Report>} */
export async function load() {
	const response = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT) });
	if (!response.ok) throw new Error(`status.json answers ${response.status}`);
	return response.json();
}
