/** A value or an error, so that what can go wrong stands in the type. */
export type Result<T, E = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

export function err<E>(error: E): Result<never, E> {
  return { ok: false, error };
}

export function map<T, U, E>(result: Result<T, E>, change: (value: T) => U): Result<U, E> {
  return result.ok ? ok(change(result.value)) : result;
}

export function mapError<T, E, F>(result: Result<T, E>, change: (error: E) => F): Result<T, F> {
  return result.ok ? result : err(change(result.error));
}

export function andThen<T, U, E, F>(
  result: Result<T, E>,
  next: (value: T) => Result<U, F>,
): Result<U, E | F> {
  return result.ok ? next(result.value) : result;
}

export function unwrapOr<T, E>(result: Result<T, E>, fallback: T | ((error: E) => T)): T {
  if (result.ok) {
    return result.value;
  }
  return typeof fallback === 'function' ? (fallback as (error: E) => T)(result.error) : fallback;
}

/** All values, or all errors if there is any. */
export function collect<T, E>(results: Iterable<Result<T, E>>): Result<T[], E[]> {
  const values: T[] = [];
  const errors: E[] = [];
  for (const result of results) {
    if (result.ok) {
      values.push(result.value);
    } else {
      errors.push(result.error);
    }
  }
  return errors.length > 0 ? err(errors) : ok(values);
}

/** Runs something that may throw or reject. */
export async function attempt<T>(action: () => T | Promise<T>): Promise<Result<T, Error>> {
  try {
    return ok(await action());
  } catch (cause) {
    return err(cause instanceof Error ? cause : new Error(String(cause)));
  }
}
