import { OrderState, type OrderService, describeError } from '../orders/order-service';
import { InvalidCursor, paginate } from '../pagination';
import { type RateLimiter, limitHeaders } from '../rate-limiter';
import { type Infer, type Issue, array, integer, object, oneOf, optional, string } from '../schema';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly partnerId: string | null;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export const orderSchema = object({
  items: array(
    object({ isbn: string({ pattern: /^97[89]\d{10}$/ }), quantity: integer({ min: 1, max: 1000 }) }),
    200,
  ),
  note: optional(string({ max: 500 })),
});

export type OrderBody = Infer<typeof orderSchema>;

const stateSchema = optional(
  oneOf(OrderState.Open, OrderState.Confirmed, OrderState.Shipped, OrderState.Cancelled),
);

function respond(status: number, body: unknown, headers: Record<string, string> = {}): ApiResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** The answer to a body that does not fit its schema. */
export function invalid(issues: readonly Issue[]): ApiResponse {
  return respond(422, {
    error: 'invalid',
    details: issues.map(({ path, message }) => `${path} ${message}`),
  });
}

/** The whole interface as one function: a request in, an answer out. */
export function createApi(orders: OrderService, limiter: RateLimiter) {
  async function createOrder(partnerId: string, body: unknown): Promise<ApiResponse> {
    const parsed = orderSchema(body);
    if (!parsed.ok) {
      return invalid(parsed.error);
    }
    const { items, note } = parsed.value;
    const created = await orders.create({ partnerId, items, ...(note ? { note } : {}) });
    if (!created.ok) {
      const status = created.error.kind === 'storage' ? 503 : 422;
      return respond(status, { error: created.error.kind, details: [describeError(created.error)] });
    }
    return respond(201, created.value, { location: `/orders/${created.value.id}` });
  }

  async function listOrders(partnerId: string, query: ApiRequest['query'] = {}): Promise<ApiResponse> {
    const state = stateSchema(query['state'], 'state');
    if (!state.ok) {
      return invalid(state.error);
    }
    const found = await orders.list(partnerId, state.value);
    const { cursor, size } = query;
    try {
      return respond(
        200,
        paginate(found, {
          ...(cursor ? { cursor } : {}),
          ...(size ? { size: Number(size) } : {}),
        }),
      );
    } catch (error) {
      if (error instanceof InvalidCursor) {
        return invalid([{ path: 'cursor', message: 'is not one of ours' }]);
      }
      throw error;
    }
  }

  return async function handle(request: ApiRequest): Promise<ApiResponse> {
    if (request.partnerId === null) {
      return respond(401, { error: 'unauthorised' });
    }
    const decision = limiter.take(request.partnerId);
    const headers = limitHeaders(decision, limiter.limit);
    if (!decision.allowed) {
      return respond(429, { error: 'too-many-requests' }, headers);
    }
    let response: ApiResponse;
    if (request.path !== '/orders') {
      response = respond(404, { error: 'not-found' });
    } else if (request.method === 'POST') {
      response = await createOrder(request.partnerId, request.body);
    } else if (request.method === 'GET') {
      response = await listOrders(request.partnerId, request.query);
    } else {
      response = respond(405, { error: 'method-not-allowed' }, { allow: 'GET, POST' });
    }
    return { ...response, headers: { ...headers, ...response.headers } };
  };
}
