import { type Filter, RepositoryError, type Repository } from '../repository';
import { type Result, err, ok } from '../result';
import type { Book, Cents, Clock, Entity, Isbn, OrderLine } from '../types';

export enum OrderState {
  Open = 'open',
  Confirmed = 'confirmed',
  Shipped = 'shipped',
  Cancelled = 'cancelled',
}

export interface Order extends Entity {
  readonly partnerId: string;
  readonly lines: readonly OrderLine[];
  readonly state: OrderState;
  readonly createdAt: number;
  readonly note?: string;
}

export interface OrderRequest {
  readonly partnerId: string;
  readonly items: readonly { readonly isbn: Isbn; readonly quantity: number }[];
  readonly note?: string;
}

export type OrderError =
  | { readonly kind: 'empty' }
  | { readonly kind: 'bad-quantity'; readonly isbn: Isbn }
  | { readonly kind: 'unknown-books'; readonly isbns: readonly Isbn[] }
  | { readonly kind: 'not-found'; readonly id: string }
  | { readonly kind: 'wrong-state'; readonly from: OrderState; readonly to: OrderState }
  | { readonly kind: 'storage'; readonly cause: RepositoryError };

const NEXT: Record<OrderState, readonly OrderState[]> = {
  [OrderState.Open]: [OrderState.Confirmed, OrderState.Cancelled],
  [OrderState.Confirmed]: [OrderState.Shipped, OrderState.Cancelled],
  [OrderState.Shipped]: [],
  [OrderState.Cancelled]: [],
};

export function totalOf(lines: readonly OrderLine[]): Cents {
  return lines.reduce((sum, line) => sum + line.cents * line.quantity, 0);
}

/** An error as a sentence for a partner's log. */
export function describeError(error: OrderError): string {
  switch (error.kind) {
    case 'empty':
      return 'The order has no items.';
    case 'bad-quantity':
      return `The quantity for ${error.isbn} is not a positive whole number.`;
    case 'unknown-books':
      return `We do not sell ${error.isbns.join(', ')}.`;
    case 'not-found':
      return `There is no order ${error.id}.`;
    case 'wrong-state':
      return `An order that is ${error.from} cannot become ${error.to}.`;
    case 'storage':
      return `The order could not be stored (${error.cause}).`;
  }
}

export class OrderService {
  readonly #orders: Repository<Order>;
  readonly #books: Repository<Book>;
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor(
    orders: Repository<Order>,
    books: Repository<Book>,
    newId: () => string,
    clock: Clock = Date,
  ) {
    this.#orders = orders;
    this.#books = books;
    this.#newId = newId;
    this.#clock = clock;
  }

  /** Takes an order at today's prices; items with the same ISBN become one line. */
  async create(request: OrderRequest): Promise<Result<Order, OrderError>> {
    if (request.items.length === 0) {
      return err({ kind: 'empty' });
    }
    const quantities = new Map<Isbn, number>();
    for (const { isbn, quantity } of request.items) {
      if (!Number.isInteger(quantity) || quantity < 1) {
        return err({ kind: 'bad-quantity', isbn });
      }
      quantities.set(isbn, (quantities.get(isbn) ?? 0) + quantity);
    }

    const found = await this.#books.find({ isbn: (isbn) => quantities.has(isbn) });
    const books = new Map(found.map((book) => [book.isbn, book]));
    const lines: OrderLine[] = [];
    const unknown: Isbn[] = [];
    for (const [isbn, quantity] of quantities) {
      const book = books.get(isbn);
      if (book) {
        const copies = book.digital ? 1 : quantity;
        lines.push({ isbn, title: book.title, cents: book.cents, quantity: copies });
      } else {
        unknown.push(isbn);
      }
    }
    if (unknown.length > 0) {
      return err({ kind: 'unknown-books', isbns: unknown });
    }

    const order: Order = {
      id: this.#newId(),
      partnerId: request.partnerId,
      lines,
      state: OrderState.Open,
      createdAt: this.#clock.now(),
      ...(request.note ? { note: request.note } : {}),
    };
    const inserted = await this.#orders.insert(order);
    return inserted.ok ? ok(order) : err({ kind: 'storage', cause: inserted.error });
  }

  /** Moves an order on; when somebody else changed it meanwhile, looks again a few times. */
  async moveTo(id: string, to: OrderState, attempts = 3): Promise<Result<Order, OrderError>> {
    for (let attempt = 1; ; attempt += 1) {
      const stored = await this.#orders.get(id);
      if (!stored.ok) {
        return err({ kind: 'not-found', id });
      }
      const { entity, version } = stored.value;
      if (entity.state === to) {
        return ok(entity);
      }
      if (!NEXT[entity.state].includes(to)) {
        return err({ kind: 'wrong-state', from: entity.state, to });
      }
      const updated = await this.#orders.update({ ...entity, state: to }, version);
      if (updated.ok) {
        return ok(updated.value.entity);
      }
      if (updated.error !== RepositoryError.Conflict || attempt >= attempts) {
        return err({ kind: 'storage', cause: updated.error });
      }
    }
  }

  /** A partner's orders, the latest first. */
  async list(partnerId: string, state?: OrderState): Promise<Order[]> {
    const filter: Filter<Order> = state === undefined ? { partnerId } : { partnerId, state };
    return this.#orders.find(filter, { by: 'createdAt', descending: true });
  }

  /** What a partner has ordered, cancelled orders left out. */
  async revenue(partnerId: string): Promise<Cents> {
    const orders = await this.#orders.find({
      partnerId,
      state: (state) => state !== OrderState.Cancelled,
    });
    return orders.reduce((sum, order) => sum + totalOf(order.lines), 0);
  }
}
