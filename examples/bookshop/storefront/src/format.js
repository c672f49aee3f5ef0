import { CURRENCY, LOCALE } from './settings.js';

/** Cents as an amount in the customer's way of writing. */
export function formatPrice(cents, { locale = LOCALE, currency = CURRENCY } = {}) {
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(cents / 100);
}

/** Cuts a text at a word's end so that it fits, with an ellipsis. */
export function shorten(text, limit) {
  if (text.length <= limit) {
    return text;
  }
  const cut = text.slice(0, Math.max(limit - 1, 0));
  const space = cut.lastIndexOf(' ');
  return `${(space > limit / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

/** "A", "A and B", "A, B and C". */
export function formatAuthors(authors) {
  if (authors.length < 2) {
    return authors[0] ?? 'Anonymous';
  }
  return `${authors.slice(0, -1).join(', ')} and ${authors.at(-1)}`;
}

/** One or many, with the number in front. */
export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
