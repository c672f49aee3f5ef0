/** Passes events on to those who listen. */
export class Emitter {
  #listeners = new Map();
  #onError;

  /** @param {(error: unknown, event: string) => void} [onError] told when a listener throws */
  constructor(onError = () => {}) {
    this.#onError = onError;
  }

  /** Listens to one event, or with `*` to all; returns a function that stops it. */
  on(event, listener) {
    if (typeof listener !== 'function') {
      throw new TypeError('A listener is a function.');
    }
    const listeners = this.#listeners.get(event) ?? new Set();
    const entry = { listener };
    listeners.add(entry);
    this.#listeners.set(event, listeners);
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0 && this.#listeners.get(event) === listeners) {
        this.#listeners.delete(event);
      }
    };
  }

  once(event, listener) {
    const stop = this.on(event, (...args) => {
      stop();
      listener(...args);
    });
    return stop;
  }

  /** Calls everyone who listens now; one that throws does not keep the others from hearing it. */
  emit(event, ...args) {
    const exact = [...(this.#listeners.get(event) ?? [])];
    const all = event === '*' ? [] : [...(this.#listeners.get('*') ?? [])];
    for (const { listener } of exact) {
      this.#call(event, listener, args);
    }
    for (const { listener } of all) {
      this.#call(event, listener, [event, ...args]);
    }
    return exact.length + all.length;
  }

  /** Resolves with the arguments of the next such event. */
  next(event, { signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        stop();
        reject(signal.reason);
      };
      const stop = this.once(event, (...args) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(args);
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  listenerCount(event) {
    return this.#listeners.get(event)?.size ?? 0;
  }

  clear(event) {
    if (event === undefined) {
      this.#listeners.clear();
    } else {
      this.#listeners.delete(event);
    }
  }

  #call(event, listener, args) {
    try {
      listener(...args);
    } catch (error) {
      this.#onError(error, event);
    }
  }
}
