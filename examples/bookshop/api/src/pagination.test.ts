import { describe, expect, it } from 'vitest';

import { InvalidCursor, clampSize, decodeCursor, encodeCursor, paginate } from './pagination';

describe('clampSize', () => {
  it.each([
    [undefined, 20],
    [Number.NaN, 20],
    [0, 1],
    [7.9, 7],
    [1000, 100],
  ])('turns %s into %s', (size, expected) => {
    expect(clampSize(size)).toBe(expected);
  });
});

describe('cursors', () => {
  it('come back as they went', () => {
    expect(decodeCursor(encodeCursor(40))).toBe(40);
  });

  it.each(['', 'nonsense', encodeCursor(-1)])('refuse %j', (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(InvalidCursor);
  });
});

describe('paginate', () => {
  const items = [1, 2, 3, 4, 5];

  it('walks through a list', () => {
    const first = paginate(items, { size: 3 });
    expect(first).toEqual({ items: [1, 2, 3], total: 5, nextCursor: encodeCursor(3) });
    const second = paginate(items, { size: 3, cursor: first.nextCursor ?? '' });
    expect(second).toEqual({ items: [4, 5], total: 5, nextCursor: null });
  });

  it('has an empty page beyond the end', () => {
    expect(paginate(items, { cursor: encodeCursor(99) }).items).toEqual([]);
  });

  it('needs no request', () => {
    expect(paginate(items).items).toEqual(items);
  });
});
