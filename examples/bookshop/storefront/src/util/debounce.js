const timers = {
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (id) => clearTimeout(id),
};

/**
 * Waits until the calls have stopped for a while, then makes the last one.
 *
 * With `leading` the first call is made at once; with `maxWait` one is made after that time
 * although the calls go on.
 */
export function debounce(callback, wait, { leading = false, maxWait = Infinity, clock = timers } = {}) {
  let timer = null;
  let deadline = null;
  let pending = null;

  function stopTimers() {
    if (timer !== null) {
      clock.clear(timer);
      timer = null;
    }
    if (deadline !== null) {
      clock.clear(deadline);
      deadline = null;
    }
  }

  function fire() {
    stopTimers();
    if (pending) {
      const { self, args } = pending;
      pending = null;
      callback.apply(self, args);
    }
  }

  function debounced(...args) {
    const isFirst = timer === null;
    if (leading && isFirst) {
      timer = clock.set(fire, wait);
      callback.apply(this, args);
      return;
    }
    pending = { self: this, args };
    if (!isFirst) {
      clock.clear(timer);
    }
    timer = clock.set(fire, wait);
    if (deadline === null && maxWait !== Infinity) {
      deadline = clock.set(fire, maxWait);
    }
  }

  debounced.cancel = () => {
    stopTimers();
    pending = null;
  };
  debounced.flush = fire;
  debounced.isPending = () => pending !== null;
  return debounced;
}

/** Makes a call at most once in a while; those in between are dropped. */
export function throttle(callback, wait, now = Date.now) {
  let last = -Infinity;
  return function throttled(...args) {
    const time = now();
    if (time - last < wait) {
      return undefined;
    }
    last = time;
    return callback.apply(this, args);
  };
}
