import { type Order, OrderState, totalOf } from '../orders/order-service';
import type { Cents, OrderLine } from '../types';
import { Fragment, type Html, h } from './jsx';

export interface ReceiptProps {
  readonly order: Order;
  readonly partnerName: string;
  readonly shippingCents?: Cents;
}

export function euros(cents: Cents): string {
  const sign = cents < 0 ? '-' : '';
  const whole = Math.floor(Math.abs(cents) / 100);
  const rest = String(Math.abs(cents) % 100).padStart(2, '0');
  return `${sign}€${whole}.${rest}`;
}

export function subject(order: Order): string {
  switch (order.state) {
    case OrderState.Open:
      return `We have received your order ${order.id}`;
    case OrderState.Confirmed:
      return `Your order ${order.id} is confirmed`;
    case OrderState.Shipped:
      return `Your order ${order.id} is on its way`;
    case OrderState.Cancelled:
      return `Your order ${order.id} has been cancelled`;
  }
}

function Line({ line }: { readonly line: OrderLine }): Html {
  return (
    <tr>
      <td>{line.quantity > 1 ? `${line.quantity} × ${line.title}` : line.title}</td>
      <td align="right">{euros(line.cents * line.quantity)}</td>
    </tr>
  );
}

/** The e-mail that tells a partner how an order stands. */
export function Receipt({ order, partnerName, shippingCents = 0 }: ReceiptProps): Html {
  const isCancelled = order.state === OrderState.Cancelled;
  return (
    <>
      <h1>{subject(order)}</h1>
      <p>Dear {partnerName},</p>
      {isCancelled ? (
        <p>nothing will be charged for this order.</p>
      ) : (
        <table>
          {order.lines.map((line) => (
            <Line line={line} />
          ))}
          {shippingCents > 0 && (
            <tr>
              <td>Shipping</td>
              <td align="right">{euros(shippingCents)}</td>
            </tr>
          )}
          <tr>
            <th>Total</th>
            <th align="right">{euros(totalOf(order.lines) + shippingCents)}</th>
          </tr>
        </table>
      )}
      {order.note && <p>Your note: {order.note}</p>}
    </>
  );
}
