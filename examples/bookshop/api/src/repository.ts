import { type Result, err, ok } from './result';
import type { Entity } from './types';

export type Comparable = string | number | boolean;

export type Filter<T> = {
  readonly [K in keyof T]?: T[K] | readonly T[K][] | ((value: T[K]) => boolean);
};

export interface Sorting<T> {
  readonly by: keyof T;
  readonly descending?: boolean;
}

export enum RepositoryError {
  NotFound = 'not-found',
  Duplicate = 'duplicate',
  Conflict = 'conflict',
}

export interface Stored<T extends Entity> {
  readonly entity: T;
  readonly version: number;
}

export interface Repository<T extends Entity> {
  get(id: string): Promise<Result<Stored<T>, RepositoryError>>;
  find(filter?: Filter<T>, sorting?: Sorting<T>): Promise<T[]>;
  insert(entity: T): Promise<Result<Stored<T>, RepositoryError>>;
  update(entity: T, expectedVersion: number): Promise<Result<Stored<T>, RepositoryError>>;
  remove(id: string): Promise<boolean>;
}

/** Whether an entity meets every condition; a list means any of its values. */
export function matches<T extends Entity>(entity: T, filter: Filter<T>): boolean {
  for (const key of Object.keys(filter) as (keyof T)[]) {
    const wanted = filter[key];
    const value = entity[key];
    if (wanted === undefined) {
      continue;
    }
    if (typeof wanted === 'function') {
      if (!(wanted as (value: unknown) => boolean)(value)) {
        return false;
      }
    } else if (Array.isArray(wanted) && !Array.isArray(value)) {
      if (!wanted.includes(value)) {
        return false;
      }
    } else if (wanted !== value) {
      return false;
    }
  }
  return true;
}

/** Compares by one field; what has no value there comes last. */
export function compareBy<T>({ by, descending = false }: Sorting<T>): (a: T, b: T) => number {
  return (a, b) => {
    const left = a[by] as Comparable | undefined;
    const right = b[by] as Comparable | undefined;
    if (left === right) {
      return 0;
    }
    if (left === undefined) {
      return 1;
    }
    if (right === undefined) {
      return -1;
    }
    const order = left < right ? -1 : 1;
    return descending ? -order : order;
  };
}

/** Keeps entities in memory; a version number reveals when two writers meet. */
export class MemoryRepository<T extends Entity> implements Repository<T> {
  readonly #stored = new Map<string, Stored<T>>();

  constructor(entities: Iterable<T> = []) {
    for (const entity of entities) {
      this.#stored.set(entity.id, { entity, version: 1 });
    }
  }

  get size(): number {
    return this.#stored.size;
  }

  async get(id: string): Promise<Result<Stored<T>, RepositoryError>> {
    const stored = this.#stored.get(id);
    return stored ? ok(stored) : err(RepositoryError.NotFound);
  }

  async find(filter: Filter<T> = {}, sorting?: Sorting<T>): Promise<T[]> {
    const found = [...this.#stored.values()]
      .map((stored) => stored.entity)
      .filter((entity) => matches(entity, filter));
    return sorting ? found.sort(compareBy(sorting)) : found;
  }

  async insert(entity: T): Promise<Result<Stored<T>, RepositoryError>> {
    if (this.#stored.has(entity.id)) {
      return err(RepositoryError.Duplicate);
    }
    const stored = { entity, version: 1 };
    this.#stored.set(entity.id, stored);
    return ok(stored);
  }

  async update(entity: T, expectedVersion: number): Promise<Result<Stored<T>, RepositoryError>> {
    const present = this.#stored.get(entity.id);
    if (!present) {
      return err(RepositoryError.NotFound);
    }
    if (present.version !== expectedVersion) {
      return err(RepositoryError.Conflict);
    }
    const stored = { entity, version: expectedVersion + 1 };
    this.#stored.set(entity.id, stored);
    return ok(stored);
  }

  async remove(id: string): Promise<boolean> {
    return this.#stored.delete(id);
  }
}
