'use strict';

/** The wish list of the old shop, still used by pages that are not modules. */

const STORAGE_KEY = 'bookshop.wishlist';
const VERSION = 2;

function createWishlist(storage, limit = 200) {
  let entries = load(storage);

  function save() {
    storage.setItem(STORAGE_KEY, JSON.stringify({ version: VERSION, entries }));
  }

  return {
    add(isbn, note = '', addedAt = new Date().toISOString()) {
      if (entries.some((entry) => entry.isbn === isbn)) {
        return false;
      }
      if (entries.length >= limit) {
        throw new RangeError(`A wish list holds up to ${limit} titles.`);
      }
      entries = [...entries, { isbn, note, addedAt }];
      save();
      return true;
    },

    remove(isbn) {
      const kept = entries.filter((entry) => entry.isbn !== isbn);
      if (kept.length === entries.length) {
        return false;
      }
      entries = kept;
      save();
      return true;
    },

    has: (isbn) => entries.some((entry) => entry.isbn === isbn),

    list(order = 'newest') {
      const sorted = [...entries];
      if (order === 'newest') {
        sorted.sort((a, b) => b.addedAt.localeCompare(a.addedAt));
      } else if (order === 'oldest') {
        sorted.sort((a, b) => a.addedAt.localeCompare(b.addedAt));
      }
      return sorted;
    },
  };
}

/** Reads what earlier versions have stored; what cannot be read counts as empty. */
function load(storage) {
  let stored;
  try {
    stored = JSON.parse(storage.getItem(STORAGE_KEY));
  } catch {
    return [];
  }
  if (!stored) {
    return [];
  }
  if (Array.isArray(stored)) {
    return migrate(stored);
  }
  return stored.version === VERSION && Array.isArray(stored.entries) ? stored.entries : [];
}

/** The first version kept a bare list of ISBNs. */
function migrate(isbns) {
  return isbns
    .filter((isbn) => typeof isbn === 'string')
    .map((isbn) => ({ isbn, note: '', addedAt: new Date(0).toISOString() }));
}

function shareText(entries, titleOf) {
  if (entries.length === 0) {
    return 'My wish list is empty.';
  }
  const lines = entries.map(({ isbn, note }) => {
    const title = titleOf(isbn) ?? `ISBN ${isbn}`;
    return note ? `- ${title} (${note})` : `- ${title}`;
  });
  return ['My wish list:', ...lines].join('\n');
}

module.exports = { createWishlist, migrate, shareText };
