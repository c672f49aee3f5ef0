/** What the partners' interface speaks about. Types only: nothing of this is left at run time. */

export type Isbn = string;
export type Cents = number;

export interface Entity {
  readonly id: string;
}

export interface Book extends Entity {
  readonly isbn: Isbn;
  readonly title: string;
  readonly authors: readonly string[];
  readonly cents: Cents;
  readonly digital: boolean;
}

export interface OrderLine {
  readonly isbn: Isbn;
  readonly title: string;
  readonly cents: Cents;
  readonly quantity: number;
}

export interface Clock {
  now(): number;
}

export type DeepReadonly<T> = T extends (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
