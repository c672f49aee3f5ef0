export { cartReducer, initialCart } from './cart/reducer.js';
export { Emitter } from './events/emitter.js';
export { createClient } from './http/client.js';
export { Router } from './router.js';
export * as settings from './settings.js';
