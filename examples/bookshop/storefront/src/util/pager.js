/** The pages that a list of `total` books takes with `size` books on each. */
export function pageCount(total, size) {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`a page holds at least one book, not ${size}`);
  }
  return total <= 0 ? 1 : Math.ceil(total / size);
}

/** The numbers to show around the present page; `null` stands for a gap between them. */
export function pageNumbers(current, last, around = 2) {
  const numbers = [];
  for (let page = 1; page <= last; page += 1) {
    const isEdge = page === 1 || page === last;
    if (isEdge || Math.abs(page - current) <= around) {
      numbers.push(page);
    } else if (numbers.at(-1) !== null) {
      numbers.push(null);
    }
  }
  return numbers;
}

/** "Books 21 to 40 of 93". */
export function rangeText(current, size, total) {
  if (total <= 0) {
    return 'No books';
  }
  const page = Math.min(Math.max(current, 1), pageCount(total, size));
  const first = (page - 1) * size + 1;
  const end = Math.min(page * size, total);
  return first === end ? `Book ${first} of ${total}` : `Books ${first} to ${end} of ${total}`;
}
