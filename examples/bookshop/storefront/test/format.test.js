import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatAuthors, formatPrice, plural, shorten } from '../src/format.js';

test('formatPrice writes cents as an amount', () => {
  assert.equal(formatPrice(1290, { locale: 'en-US', currency: 'USD' }), '$12.90');
  assert.match(formatPrice(1290), /^12,90\s€$/);
});

test('shorten leaves short texts alone and cuts long ones at a word', () => {
  assert.equal(shorten('Dune', 10), 'Dune');
  assert.equal(shorten('The Left Hand of Darkness', 15), 'The Left Hand…');
  assert.equal(shorten('Incomprehensibilities', 10), 'Incompreh…');
});

test('formatAuthors joins names', () => {
  assert.equal(formatAuthors([]), 'Anonymous');
  assert.equal(formatAuthors(['A']), 'A');
  assert.equal(formatAuthors(['A', 'B']), 'A and B');
  assert.equal(formatAuthors(['A', 'B', 'C']), 'A, B and C');
});

test('plural', () => {
  assert.equal(plural(1, 'book'), '1 book');
  assert.equal(plural(0, 'book'), '0 books');
  assert.equal(plural(2, 'copy', 'copies'), '2 copies');
});
