"""Books, and what is known about them."""

from .isbn import is_isbn, to_isbn13
from .models import Author, Book, BookFormat

__all__ = ["Author", "Book", "BookFormat", "is_isbn", "to_isbn13"]
