import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from './constants';

export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
  readonly nextCursor: string | null;
}

export interface PageRequest {
  readonly cursor?: string;
  readonly size?: number;
}

export class InvalidCursor extends Error {
  constructor(cursor: string) {
    super(`Not a cursor: ${cursor}`);
    this.name = 'InvalidCursor';
  }
}

/** A size within the limits; what is not a number counts as not given. */
export function clampSize(size: number | undefined): number {
  if (size === undefined || !Number.isFinite(size)) {
    return DEFAULT_PAGE_SIZE;
  }
  return Math.min(Math.max(Math.trunc(size), 1), MAX_PAGE_SIZE);
}

export function encodeCursor(offset: number): string {
  return Buffer.from(`o:${offset}`).toString('base64url');
}

export function decodeCursor(cursor: string): number {
  const match = /^o:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (!match) {
    throw new InvalidCursor(cursor);
  }
  return Number(match[1]);
}

/** One page of a list, and where the next one begins. */
export function paginate<T>(items: readonly T[], request: PageRequest = {}): Page<T> {
  const size = clampSize(request.size);
  const offset = request.cursor === undefined ? 0 : decodeCursor(request.cursor);
  const end = offset + size;
  return {
    items: items.slice(offset, end),
    total: items.length,
    nextCursor: end < items.length ? encodeCursor(end) : null,
  };
}
