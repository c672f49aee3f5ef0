import { MAX_COPIES } from '../settings.js';

/** @typedef {{ isbn: string, title: string, cents: number, digital: boolean, quantity: number }} Line */
/** @typedef {{ lines: Line[], coupon: string | null, message: string | null }} CartState */

/** @type {CartState} */
export const initialCart = Object.freeze({ lines: [], coupon: null, message: null });

/**
 * The next state of the cart; the given state is never changed, and returned itself when
 * an action makes no difference.
 */
export function cartReducer(state = initialCart, action) {
  switch (action.type) {
    case 'cart/added':
      return addLine(state, action.book, action.quantity ?? 1);
    case 'cart/changed':
      return changeQuantity(state, action.isbn, action.quantity);
    case 'cart/removed':
      return changeQuantity(state, action.isbn, 0);
    case 'cart/coupon': {
      const coupon = action.code?.trim().toUpperCase() || null;
      return coupon === state.coupon ? state : { ...state, coupon };
    }
    case 'cart/dismissed':
      return state.message === null ? state : { ...state, message: null };
    case 'cart/emptied':
      return initialCart;
    default:
      return state;
  }
}

export function selectCount(state) {
  return state.lines.reduce((sum, line) => sum + line.quantity, 0);
}

export function selectSubtotal(state) {
  return state.lines.reduce((sum, line) => sum + line.cents * line.quantity, 0);
}

/** How much is missing for free shipping: null when nothing has to be sent, 0 when it is reached. */
export function selectMissingForFreeShipping(state, thresholdCents) {
  if (state.lines.every((line) => line.digital)) {
    return null;
  }
  return Math.max(0, thresholdCents - selectSubtotal(state));
}

function addLine(state, book, quantity) {
  if (!Number.isInteger(quantity) || quantity < 1) {
    return state;
  }
  const present = state.lines.find((line) => line.isbn === book.isbn);
  if (present?.digital) {
    return { ...state, message: 'You already have this title in your cart.' };
  }
  if (present) {
    return changeQuantity(state, book.isbn, present.quantity + quantity);
  }
  const line = {
    isbn: book.isbn,
    title: book.title,
    cents: book.cents,
    digital: Boolean(book.digital),
    quantity: book.digital ? 1 : Math.min(quantity, MAX_COPIES),
  };
  return {
    ...state,
    lines: [...state.lines, line],
    message: !book.digital && quantity > MAX_COPIES ? limitMessage() : null,
  };
}

function changeQuantity(state, isbn, quantity) {
  const present = state.lines.find((line) => line.isbn === isbn);
  if (!present || !Number.isInteger(quantity) || quantity < 0) {
    return state;
  }
  if (quantity === 0) {
    return { ...state, lines: state.lines.filter((line) => line !== present), message: null };
  }
  const allowed = present.digital ? 1 : Math.min(quantity, MAX_COPIES);
  if (allowed === present.quantity && allowed === quantity) {
    return state;
  }
  return {
    ...state,
    lines: state.lines.map((line) => (line === present ? { ...line, quantity: allowed } : line)),
    message: !present.digital && quantity > MAX_COPIES ? limitMessage() : null,
  };
}

function limitMessage() {
  return `You can order up to ${MAX_COPIES} copies of a title.`;
}
