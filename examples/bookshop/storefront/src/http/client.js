import { REQUEST_TIMEOUT_MS } from '../settings.js';
import { stringifyQuery } from '../util/query-string.js';

const RETRIED = new Set([408, 429, 500, 502, 503, 504]);
const REPEATABLE = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

export class HttpError extends Error {
  constructor(status, url, body) {
    super(`${status} from ${url}`);
    this.name = 'HttpError';
    this.status = status;
    this.body = body;
  }
}

/** How long to wait before the given attempt is repeated; the server's wish comes first. */
export function retryDelay(attempt, retryAfter, { base = 200, ceiling = 5000, now = Date.now() } = {}) {
  if (retryAfter) {
    const seconds = Number(retryAfter);
    const wished = Number.isNaN(seconds) ? Date.parse(retryAfter) - now : seconds * 1000;
    if (wished >= 0) {
      return Math.min(wished, ceiling);
    }
  }
  return Math.min(base * 2 ** attempt, ceiling);
}

/**
 * A client for the shop's API.
 *
 * @param {object} options
 * @param {typeof fetch} options.fetch what makes the requests
 * @param {string} options.baseUrl put in front of every path
 * @param {number} [options.retries] how often a request is repeated at most
 * @param {(ms: number) => Promise<void>} [options.sleep]
 */
export function createClient({
  fetch,
  baseUrl,
  retries = 3,
  timeout = REQUEST_TIMEOUT_MS,
  sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}) {
  async function request(method, path, { query, body, headers = {} } = {}) {
    const search = query ? stringifyQuery(query) : '';
    const url = `${baseUrl.replace(/\/+$/, '')}${path}${search && `?${search}`}`;
    const repeatable = REPEATABLE.has(method);

    for (let attempt = 0; ; attempt += 1) {
      const mayRetry = repeatable && attempt < retries;
      let response;
      try {
        response = await fetch(url, {
          method,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          body: body === undefined ? undefined : JSON.stringify(body),
          signal: AbortSignal.timeout(timeout),
        });
      } catch (error) {
        if (!mayRetry) {
          throw error;
        }
        await sleep(retryDelay(attempt));
        continue;
      }
      if (response.ok) {
        return readBody(response);
      }
      if (!mayRetry || !RETRIED.has(response.status)) {
        throw new HttpError(response.status, url, await readBody(response));
      }
      await sleep(retryDelay(attempt, response.headers.get('retry-after')));
    }
  }

  return {
    get: (path, query) => request('GET', path, { query }),
    post: (path, body) => request('POST', path, { body }),
    put: (path, body) => request('PUT', path, { body }),
    delete: (path) => request('DELETE', path),
    request,
  };
}

async function readBody(response) {
  const text = await response.text();
  if (!text) {
    return null;
  }
  const type = response.headers.get('content-type') ?? '';
  if (!type.includes('json')) {
    return text;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (response.ok) {
      throw error;
    }
    return text;
  }
}
