import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rds } from './rds.js';

test('as saveRDS(x, ascii = TRUE, compress = FALSE, version = 2) writes it', () => {
	const head = ['A', '2', '262144', '131840'];
	// c(a = "x y", b = "é\\")
	assert.deepEqual(rds({ texts: ['x y', 'é\\'], names: ['a', 'b'] }).split('\n'), [
		...head, '528', '2', '262153', '3', 'x\\040y', '32777', '3', '\\303\\251\\134',
		'1026', '1', '262153', '5', 'names', '16', '2', '262153', '1', 'a', '262153', '1', 'b', '254', '',
	]);
	// structure(list(c(4L, 0L)), class = "v"), and list()
	assert.deepEqual(rds({ list: [[4, 0]], class: ['v'] }).split('\n'), [
		...head, '787', '1', '13', '2', '4', '0', '1026', '1', '262153', '5', 'class', '16', '1', '262153', '1', 'v', '254', '',
	]);
	// matrix(c("a", "b"), 1, dimnames = list("r", c("x", "y")))
	assert.deepEqual(rds({ texts: ['a', 'b'], dim: [1, 2], dimnames: { list: [['r'], ['x', 'y']] } }).split('\n'), [
		...head, '528', '2', '262153', '1', 'a', '262153', '1', 'b', '1026', '1', '262153', '3', 'dim', '13', '2', '1', '2',
		'1026', '1', '262153', '8', 'dimnames', '19', '2', '16', '1', '262153', '1', 'r', '16', '2', '262153', '1', 'x', '262153', '1', 'y', '254', '',
	]);
	assert.deepEqual(rds({ list: [] }).split('\n'), [...head, '19', '0', '']);
});
