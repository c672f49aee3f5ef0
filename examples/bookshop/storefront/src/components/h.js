export const Fragment = Symbol('Fragment');

/** Makes a node of the virtual tree; what JSX is compiled to. */
export function h(type, props, ...children) {
  return { type, props: props ?? {}, children: children.flat(Infinity) };
}

const EMPTY_TAGS = new Set(['br', 'hr', 'img', 'input', 'link', 'meta']);
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (c) => ESCAPES[c]);
}

/** The tree as HTML, for the first page load; event handlers are left out. */
export function renderToString(node) {
  if (node === null || node === undefined || typeof node === 'boolean') {
    return '';
  }
  if (Array.isArray(node)) {
    return node.map(renderToString).join('');
  }
  if (typeof node !== 'object') {
    return escapeHtml(node);
  }
  const { type, props, children } = node;
  if (typeof type === 'function') {
    return renderToString(type({ ...props, children }));
  }
  const inner = children.map(renderToString).join('');
  if (type === Fragment) {
    return inner;
  }
  const opening = `<${type}${renderAttributes(props)}>`;
  return EMPTY_TAGS.has(type) ? opening : `${opening}${inner}</${type}>`;
}

function renderAttributes(props) {
  let text = '';
  for (const [name, value] of Object.entries(props)) {
    if (name === 'key' || typeof value === 'function' || value === false || value == null) {
      continue;
    }
    const attribute = name === 'className' ? 'class' : name;
    text += value === true ? ` ${attribute}` : ` ${attribute}="${escapeHtml(value)}"`;
  }
  return text;
}
