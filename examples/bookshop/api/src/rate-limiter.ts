import { REQUESTS_PER_MINUTE } from './constants';
import type { Clock } from './types';

export interface Limit {
  /** How many requests may come at once. */
  readonly capacity: number;
  /** How many more are allowed each second. */
  readonly perSecond: number;
}

export type Decision =
  | { readonly allowed: true; readonly remaining: number }
  | { readonly allowed: false; readonly retryAfterSeconds: number };

interface Bucket {
  tokens: number;
  updated: number;
}

export const DEFAULT_LIMIT: Limit = {
  capacity: REQUESTS_PER_MINUTE,
  perSecond: REQUESTS_PER_MINUTE / 60,
};

/** A token bucket for each partner. */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #clock: Clock;
  readonly limit: Limit;

  constructor(limit: Limit = DEFAULT_LIMIT, clock: Clock = Date) {
    if (!(limit.capacity >= 1) || !(limit.perSecond > 0)) {
      throw new RangeError('A limit allows at least one request, and more as time goes by.');
    }
    this.limit = limit;
    this.#clock = clock;
  }

  /** Decides on a request that counts as `cost` ordinary ones. */
  take(key: string, cost = 1): Decision {
    if (!(cost > 0) || cost > this.limit.capacity) {
      throw new RangeError(`A request costs more than 0 and at most ${this.limit.capacity}.`);
    }
    const bucket = this.#refilled(key);
    if (bucket.tokens >= cost) {
      bucket.tokens -= cost;
      return { allowed: true, remaining: Math.floor(bucket.tokens) };
    }
    const missing = cost - bucket.tokens;
    return { allowed: false, retryAfterSeconds: Math.ceil(missing / this.limit.perSecond) };
  }

  /** Forgets partners who have not come for so long that their buckets are full again. */
  sweep(): number {
    let forgotten = 0;
    for (const key of [...this.#buckets.keys()]) {
      if (this.#refilled(key).tokens >= this.limit.capacity) {
        this.#buckets.delete(key);
        forgotten += 1;
      }
    }
    return forgotten;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #refilled(key: string): Bucket {
    const now = this.#clock.now();
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = { tokens: this.limit.capacity, updated: now };
      this.#buckets.set(key, bucket);
      return bucket;
    }
    const elapsed = Math.max(now - bucket.updated, 0) / 1000;
    bucket.tokens = Math.min(
      this.limit.capacity,
      bucket.tokens + elapsed * this.limit.perSecond,
    );
    bucket.updated = now;
    return bucket;
  }
}

/** The headers that tell a partner how things stand. */
export function limitHeaders(decision: Decision, limit: Limit = DEFAULT_LIMIT): Record<string, string> {
  const headers: Record<string, string> = { 'ratelimit-limit': String(limit.capacity) };
  if (decision.allowed) {
    headers['ratelimit-remaining'] = String(decision.remaining);
  } else {
    headers['ratelimit-remaining'] = '0';
    headers['retry-after'] = String(decision.retryAfterSeconds);
  }
  return headers;
}
