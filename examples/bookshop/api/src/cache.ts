import type { Clock } from './types';

export interface CacheOptions {
  readonly capacity: number;
  readonly lifetimeMs: number;
  readonly clock?: Clock;
}

interface Entry<V> {
  readonly value: V;
  readonly expires: number;
}

/** Keeps what was used last, for a limited time. */
export class Cache<K, V> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #loading = new Map<K, Promise<V>>();
  readonly #capacity: number;
  readonly #lifetimeMs: number;
  readonly #clock: Clock;

  constructor({ capacity, lifetimeMs, clock = Date }: CacheOptions) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError('A cache has room for at least one entry.');
    }
    this.#capacity = capacity;
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#use(key)?.value;
  }

  has(key: K): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expires > this.#clock.now();
  }

  set(key: K, value: V): void {
    this.#loading.delete(key);
    this.#entries.delete(key);
    this.#entries.set(key, { value, expires: this.#clock.now() + this.#lifetimeMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) {
        break;
      }
      this.#entries.delete(oldest);
    }
  }

  delete(key: K): boolean {
    this.#loading.delete(key);
    return this.#entries.delete(key);
  }

  /** The cached value, or a loaded one; those who ask meanwhile wait for the same load. */
  async getOrLoad(key: K, load: (key: K) => Promise<V>): Promise<V> {
    const present = this.#use(key);
    if (present) {
      return present.value;
    }
    const underway = this.#loading.get(key);
    if (underway) {
      return underway;
    }
    const loading = load(key);
    this.#loading.set(key, loading);
    try {
      const value = await loading;
      if (this.#loading.get(key) === loading) {
        this.set(key, value);
      }
      return value;
    } finally {
      if (this.#loading.get(key) === loading) {
        this.#loading.delete(key);
      }
    }
  }

  /** The entry, now the one used last; what is too old is dropped. */
  #use(key: K): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    if (!entry) {
      return undefined;
    }
    this.#entries.delete(key);
    if (entry.expires <= this.#clock.now()) {
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry;
  }
}
