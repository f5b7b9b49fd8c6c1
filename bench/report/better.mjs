/** Units of which more is better; of every other unit less is. */
const MORE = ['MB/s', 'sockets/s', 'calls/s', 'connections/s', 'datagrams/s', '%'];

/** @param {string} unit */
export const moreIsBetter = (unit) => MORE.includes(unit);
