import { type Result, err, ok } from './result';

export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Turns something unknown into a value of a known type, or says what is wrong with it. */
export type Schema<T> = (input: unknown, path?: string) => Result<T, Issue[]>;

export type Infer<S> = S extends Schema<infer T> ? T : never;

type Shape = Record<string, Schema<unknown>>;
type Shaped<S extends Shape> = { [K in keyof S]: Infer<S[K]> };

function issue(path: string, message: string): Result<never, Issue[]> {
  return err([{ path: path || '(root)', message }]);
}

export function string(limits: { min?: number; max?: number; pattern?: RegExp } = {}): Schema<string> {
  return (input, path = '') => {
    if (typeof input !== 'string') {
      return issue(path, 'must be a text');
    }
    if (limits.min !== undefined && input.length < limits.min) {
      return issue(path, `must have at least ${limits.min} characters`);
    }
    if (limits.max !== undefined && input.length > limits.max) {
      return issue(path, `must have at most ${limits.max} characters`);
    }
    if (limits.pattern && input.search(limits.pattern) < 0) {
      return issue(path, 'has the wrong form');
    }
    return ok(input);
  };
}

export function integer(limits: { min?: number; max?: number } = {}): Schema<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = limits;
  return (input, path = '') => {
    if (typeof input !== 'number' || !Number.isInteger(input)) {
      return issue(path, 'must be a whole number');
    }
    return input < min || input > max
      ? issue(path, `must lie between ${min} and ${max}`)
      : ok(input);
  };
}

export function oneOf<const T extends readonly string[]>(...options: T): Schema<T[number]> {
  return (input, path = '') =>
    options.includes(input as string)
      ? ok(input as T[number])
      : issue(path, `must be one of ${options.join(', ')}`);
}

export function optional<T>(schema: Schema<T>): Schema<T | undefined> {
  return (input, path = '') =>
    input === undefined || input === null ? ok(undefined) : schema(input, path);
}

export function array<T>(item: Schema<T>, maxItems = Infinity): Schema<T[]> {
  return (input, path = '') => {
    if (!Array.isArray(input)) {
      return issue(path, 'must be a list');
    }
    if (input.length > maxItems) {
      return issue(path, `must have at most ${maxItems} entries`);
    }
    const values: T[] = [];
    const issues: Issue[] = [];
    for (const [index, element] of input.entries()) {
      const result = item(element, `${path}[${index}]`);
      if (result.ok) {
        values.push(result.value);
      } else {
        issues.push(...result.error);
      }
    }
    return issues.length > 0 ? err(issues) : ok(values);
  };
}

/** An object with exactly these fields; others are refused, so that typing mistakes are seen. */
export function object<S extends Shape>(shape: S): Schema<Shaped<S>> {
  return (input, path = '') => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      return issue(path, 'must be an object');
    }
    const given = input as Record<string, unknown>;
    const value: Record<string, unknown> = {};
    const issues: Issue[] = [];
    for (const [field, schema] of Object.entries(shape)) {
      const result = schema(given[field], path ? `${path}.${field}` : field);
      if (!result.ok) {
        issues.push(...result.error);
      } else if (result.value !== undefined) {
        value[field] = result.value;
      }
    }
    for (const field of Object.keys(given)) {
      if (!Object.hasOwn(shape, field)) {
        issues.push({ path: path ? `${path}.${field}` : field, message: 'is not expected' });
      }
    }
    return issues.length > 0 ? err(issues) : ok(value as Shaped<S>);
  };
}

/** Adds a rule of one's own; it returns a message when it is broken. */
export function refine<T>(schema: Schema<T>, rule: (value: T) => string | null): Schema<T> {
  return (input, path = '') => {
    const result = schema(input, path);
    if (!result.ok) {
      return result;
    }
    const message = rule(result.value);
    return message === null ? result : issue(path, message);
  };
}
