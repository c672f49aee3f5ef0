export const LOCALE = 'de-DE';
export const CURRENCY = 'EUR';
export const MAX_COPIES = 50;
export const SEARCH_DELAY_MS = 250;
export const REQUEST_TIMEOUT_MS = 8000;
