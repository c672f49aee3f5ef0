export * from './constants';
export * from './types';
export { type Result, err, ok } from './result';
export { MemoryRepository, type Repository } from './repository';
export { OrderService } from './orders/order-service';
export { paginate } from './pagination';
