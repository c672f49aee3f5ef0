export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

export const REQUESTS_PER_MINUTE = 120;
export const SIGNATURE_TOLERANCE_SECONDS = 300;

export const HEADERS = {
  signature: 'x-bookshop-signature',
  requestId: 'x-request-id',
} as const;
