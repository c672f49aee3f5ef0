/** Reads `a=1&b=2&b=3`; a name that comes more than once gets a list, one without a value is true. */
export function parseQuery(text) {
  const result = Object.create(null);
  for (const pair of text.replace(/^\?/, '').split('&')) {
    if (pair === '') {
      continue;
    }
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? true : decode(pair.slice(equals + 1));
    if (!(name in result)) {
      result[name] = value;
    } else if (Array.isArray(result[name])) {
      result[name].push(value);
    } else {
      result[name] = [result[name], value];
    }
  }
  return result;
}

/** Writes a query with its names in order; what is undefined, null or false is left out. */
export function stringifyQuery(query) {
  return Object.keys(query)
    .sort()
    .flatMap((name) => [query[name]].flat().map((value) => [name, value]))
    .filter(([, value]) => value !== undefined && value !== null && value !== false)
    .map(([name, value]) =>
      value === true
        ? encodeURIComponent(name)
        : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    )
    .join('&');
}

function decode(text) {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
