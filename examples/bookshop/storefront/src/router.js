import { parseQuery } from './util/query-string.js';

/** Turns `/books/:isbn` and `/files/*` into something that paths can be matched against. */
export function compilePattern(pattern) {
  const names = [];
  const source = pattern
    .split('/')
    .filter(Boolean)
    .map((segment) => {
      if (segment === '*') {
        names.push('rest');
        return '(.*)';
      }
      if (segment.startsWith(':')) {
        names.push(segment.slice(1));
        return '([^/]+)';
      }
      return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return { names, regex: new RegExp(`^/${source}/?$`) };
}

/** The decoded parts of a path, or null when it does not match. */
export function matchPath(compiled, path) {
  const match = compiled.regex.exec(path);
  if (!match) {
    return null;
  }
  const params = {};
  for (const [index, name] of compiled.names.entries()) {
    try {
      params[name] = decodeURIComponent(match[index + 1]);
    } catch {
      return null;
    }
  }
  return params;
}

/** Finds the first route that matches; guards may send the visitor elsewhere. */
export class Router {
  #routes = [];
  #guards = [];
  #fallback = null;

  add(pattern, handler) {
    this.#routes.push({ pattern, handler, compiled: compilePattern(pattern) });
    return this;
  }

  otherwise(handler) {
    this.#fallback = handler;
    return this;
  }

  /** A guard is given the match and returns true, or the path to go to instead. */
  guard(check) {
    this.#guards.push(check);
    return this;
  }

  match(url) {
    const [withoutHash] = url.split('#', 1);
    const mark = withoutHash.indexOf('?');
    const path = mark < 0 ? withoutHash : withoutHash.slice(0, mark);
    const query = mark < 0 ? {} : parseQuery(withoutHash.slice(mark + 1));
    for (const { pattern, handler, compiled } of this.#routes) {
      const params = matchPath(compiled, path);
      if (params) {
        return { pattern, handler, params, path, query };
      }
    }
    return null;
  }

  /** Runs the handler for an address and returns what it returns. */
  async go(url, redirects = 5) {
    const found = this.match(url);
    if (!found) {
      if (!this.#fallback) {
        throw new Error(`No route for ${url}`);
      }
      return this.#fallback({ path: url });
    }
    for (const check of this.#guards) {
      const verdict = await check(found);
      if (typeof verdict === 'string') {
        if (redirects === 0) {
          throw new Error(`Too many redirects at ${url}`);
        }
        return this.go(verdict, redirects - 1);
      }
      if (verdict !== true) {
        return undefined;
      }
    }
    return found.handler(found);
  }
}
