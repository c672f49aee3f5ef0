/** @jsx h */
import { formatAuthors, formatPrice, plural, shorten } from '../format.js';
import { h } from './h.js';

/** What the customer is told about when a book arrives. */
export function availabilityText({ digital, available, releaseDate }, today = new Date()) {
  if (releaseDate && releaseDate > today) {
    return `Appears on ${releaseDate.toISOString().slice(0, 10)}`;
  }
  if (digital) {
    return 'Read at once';
  }
  if (available <= 0) {
    return 'Out of stock';
  }
  return available < 5 ? `Only ${plural(available, 'copy', 'copies')} left` : 'In stock';
}

export function Stars({ rating, count }) {
  if (!count) {
    return <span className="stars stars--none">No reviews yet</span>;
  }
  const full = Math.round(Math.min(Math.max(rating, 0), 5));
  return (
    <span className="stars" title={`${rating.toFixed(1)} of 5, ${plural(count, 'review')}`}>
      {'★'.repeat(full)}
      {'☆'.repeat(5 - full)}
    </span>
  );
}

export function BookCard({ book, onAdd, today }) {
  const isReduced = book.formerCents > book.cents;
  const canBuy = book.digital || book.available > 0;
  return (
    <article className={isReduced ? 'card card--reduced' : 'card'} data-isbn={book.isbn}>
      {book.cover && <img src={book.cover} alt={`Cover of ${book.title}`} />}
      <h3>{shorten(book.title, 60)}</h3>
      <p className="card__authors">{formatAuthors(book.authors)}</p>
      <Stars rating={book.rating} count={book.reviews} />
      <p className="card__price">
        {isReduced ? <s>{formatPrice(book.formerCents)}</s> : null}
        {formatPrice(book.cents)}
      </p>
      <p className="card__availability">{availabilityText(book, today)}</p>
      <button type="button" disabled={!canBuy} onClick={() => onAdd(book.isbn)}>
        Add to cart
      </button>
    </article>
  );
}
