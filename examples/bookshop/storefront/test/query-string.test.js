import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseQuery, stringifyQuery } from '../src/util/query-string.js';

describe('parseQuery', () => {
  it('reads names and values', () => {
    assert.deepEqual({ ...parseQuery('?q=left+hand&page=2') }, { q: 'left hand', page: '2' });
  });

  it('collects repeated names', () => {
    assert.deepEqual([...parseQuery('a=1&a=2&a=3').a], ['1', '2', '3']);
  });

  it('knows names without a value, and values with an equals sign', () => {
    assert.deepEqual({ ...parseQuery('sale&x=a=b&y=') }, { sale: true, x: 'a=b', y: '' });
  });

  it('keeps what cannot be decoded', () => {
    assert.equal(parseQuery('x=%E0%A4').x, '%E0%A4');
  });

  it('is not led astray by names that objects have', () => {
    assert.equal(parseQuery('toString=1').toString, '1');
    assert.deepEqual({ ...parseQuery('') }, {});
  });
});

describe('stringifyQuery', () => {
  it('sorts names, encodes and leaves out what is not set', () => {
    const query = { q: 'left hand', a: undefined, b: null, c: false, sale: true, page: 0 };
    assert.equal(stringifyQuery(query), 'page=0&q=left%20hand&sale');
  });

  it('repeats the name for a list', () => {
    assert.equal(stringifyQuery({ format: ['ebook', 'paperback'] }), 'format=ebook&format=paperback');
  });
});
