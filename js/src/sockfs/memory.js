// Addresses in a program's memory, as its system calls are given them.

/**
 * An address, a size or a plain number as a number. Addresses above 2 GiB come as negative
 * numbers, those of 64-bit memory as BigInt.
 * @param {number | bigint} value
 */
export const address = (value) => (typeof value === 'bigint' ? Number(value) : value >>> 0);
