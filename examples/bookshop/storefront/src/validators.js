/**
 * A validator takes a value and all values of the form, and returns a message or null.
 * @typedef {(value: unknown, form: Record<string, unknown>) => string | null} Validator
 */

const isBlank = (value) => value === undefined || value === null || String(value).trim() === '';

/** @returns {Validator} */
export function required(message = 'Please fill this in.') {
  return (value) => (isBlank(value) ? message : null);
}

/** @returns {Validator} */
export function length({ min = 0, max = Infinity }) {
  return (value) => {
    if (isBlank(value)) {
      return null;
    }
    const size = [...String(value).trim()].length;
    if (size < min) {
      return `Please enter at least ${min} characters.`;
    }
    return size > max ? `Please enter at most ${max} characters.` : null;
  };
}

/** @returns {Validator} */
export function email() {
  return (value) =>
    isBlank(value) || /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/.test(String(value).trim())
      ? null
      : 'This does not look like an e-mail address.';
}

/** @returns {Validator} */
export function sameAs(other, message = 'The two entries differ.') {
  return (value, form) => (value === form[other] ? null : message);
}

/** @returns {Validator} */
export function when(condition, ...validators) {
  return (value, form) => (condition(form) ? firstMessage(validators, value, form) : null);
}

/** An ISBN with ten or thirteen digits, hyphens and spaces allowed. */
export function isbn() {
  return (value) => {
    if (isBlank(value)) {
      return null;
    }
    const text = String(value).replace(/[-\s]/g, '').toUpperCase();
    const valid = /^\d{9}[\dX]$/.test(text)
      ? checkSum10(text) % 11 === 0
      : /^97[89]\d{10}$/.test(text) && checkSum13(text) % 10 === 0;
    return valid ? null : 'This is not a valid ISBN.';
  };
}

/** The first message for each field that has one; an empty object when the form is valid. */
export function validate(form, rules) {
  const errors = {};
  for (const [field, validators] of Object.entries(rules)) {
    const message = firstMessage([validators].flat(), form[field], form);
    if (message) {
      errors[field] = message;
    }
  }
  return errors;
}

function firstMessage(validators, value, form) {
  for (const validator of validators) {
    const message = validator(value, form);
    if (message) {
      return message;
    }
  }
  return null;
}

function checkSum10(text) {
  return [...text].reduce((sum, c, index) => sum + (10 - index) * (c === 'X' ? 10 : Number(c)), 0);
}

function checkSum13(text) {
  return [...text].reduce((sum, c, index) => sum + (index % 2 ? 3 : 1) * Number(c), 0);
}
