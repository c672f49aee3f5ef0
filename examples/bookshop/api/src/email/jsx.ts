/** Just enough of JSX to write e-mails with: elements are strings of HTML. */

export class Html {
  constructor(readonly text: string) {}
}

export type Child = Html | string | number | boolean | null | undefined | readonly Child[];
type Props = Readonly<Record<string, unknown>>;
type Component<P> = (props: P & { children: Child[] }) => Html;

const EMPTY_TAGS: ReadonlySet<string> = new Set(['br', 'hr', 'img']);

export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function render(child: Child): string {
  if (child === null || child === undefined || typeof child === 'boolean') {
    return '';
  }
  if (child instanceof Html) {
    return child.text;
  }
  if (typeof child === 'string' || typeof child === 'number') {
    return escape(String(child));
  }
  return child.map(render).join('');
}

export function h<P extends object>(
  type: string | Component<P>,
  props: P | null,
  ...children: Child[]
): Html {
  if (typeof type === 'function') {
    return type({ ...(props as P), children });
  }
  let attributes = '';
  for (const [name, value] of Object.entries((props ?? {}) as Props)) {
    if (value === true) {
      attributes += ` ${name}`;
    } else if (value !== false && value !== null && value !== undefined) {
      attributes += ` ${name}="${escape(String(value))}"`;
    }
  }
  return EMPTY_TAGS.has(type)
    ? new Html(`<${type}${attributes}>`)
    : new Html(`<${type}${attributes}>${render(children)}</${type}>`);
}

export function Fragment({ children }: { children?: Child }): Html {
  return new Html(render(children));
}

export declare namespace h {
  namespace JSX {
    type Element = Html;
    interface ElementChildrenAttribute {
      children: unknown;
    }
    interface IntrinsicElements {
      [name: string]: Props;
    }
  }
}
