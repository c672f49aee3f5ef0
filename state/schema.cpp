// Tables that change while a run goes on (task, attempt, answer, file) are narrow; what is frozen and long
// (spec, prefix) is kept apart, so that recording an outcome touches few pages.

#include "state/schema.hpp"

namespace cohort {

const char* const ledger_schema = R"sql(
CREATE TABLE meta(
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run(
  id               INTEGER PRIMARY KEY,
  batch_id         TEXT NOT NULL,
  model_id         TEXT NOT NULL,
  started          INTEGER NOT NULL,
  updated          INTEGER NOT NULL,
  status           INTEGER NOT NULL CHECK(status BETWEEN 0 AND 4),
  first_task       INTEGER NOT NULL,
  last_task        INTEGER NOT NULL,
  batch_size       INTEGER NOT NULL,
  model            TEXT NOT NULL,
  concurrent       INTEGER NOT NULL,
  timeout          INTEGER NOT NULL,
  min_complexity   INTEGER NOT NULL,
  cost_limit       INTEGER,
  budget           INTEGER,
  on_limit         INTEGER NOT NULL CHECK(on_limit BETWEEN 0 AND 2),
  parallel_batches INTEGER NOT NULL,
  output_directory BLOB NOT NULL,
  effort           TEXT NOT NULL,
  seal             INTEGER NOT NULL
) STRICT;

CREATE TABLE task(
  key           INTEGER PRIMARY KEY,
  run           INTEGER NOT NULL REFERENCES run(id),
  id            BLOB NOT NULL CHECK(length(id) = 16),
  batch         INTEGER NOT NULL,
  state         INTEGER NOT NULL CHECK(state BETWEEN 0 AND 5),
  changed       INTEGER NOT NULL,
  code          INTEGER NOT NULL,
  file          INTEGER,
  beside        INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  low           INTEGER NOT NULL,
  expected      INTEGER NOT NULL,
  worst         INTEGER NOT NULL,
  reason        TEXT NOT NULL,
  seal          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_identity ON task(id, run);
CREATE INDEX task_batch ON task(run, batch);

CREATE TABLE prefix(
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  text   BLOB NOT NULL
) STRICT;

CREATE TABLE spec(
  task          INTEGER PRIMARY KEY REFERENCES task(key),
  label         BLOB NOT NULL,
  source        BLOB NOT NULL,
  source_digest BLOB NOT NULL,
  target        BLOB NOT NULL,
  part          INTEGER NOT NULL,
  parts         INTEGER NOT NULL,
  complexity    INTEGER NOT NULL,
  model         TEXT NOT NULL,
  max_tokens    INTEGER NOT NULL,
  cache         INTEGER NOT NULL,
  effort        TEXT NOT NULL,
  traits        BLOB NOT NULL,
  seal          INTEGER NOT NULL,
  prefix        INTEGER NOT NULL REFERENCES prefix(id),
  prompt        BLOB NOT NULL
) STRICT;
CREATE INDEX spec_target ON spec(target);

CREATE TABLE attempt(
  task       INTEGER NOT NULL,
  number     INTEGER NOT NULL,
  outcome    INTEGER NOT NULL CHECK(outcome BETWEEN 0 AND 3),
  reserved   INTEGER NOT NULL,
  cost       INTEGER NOT NULL,
  sent       INTEGER NOT NULL,
  ended      INTEGER NOT NULL,
  lease      INTEGER NOT NULL,
  input_tokens       INTEGER NOT NULL,
  cache_write_5m     INTEGER NOT NULL,
  cache_write_1h     INTEGER NOT NULL,
  cache_read         INTEGER NOT NULL,
  output_tokens      INTEGER NOT NULL,
  tier               INTEGER NOT NULL,
  us_inference       INTEGER NOT NULL,
  stop       INTEGER NOT NULL,
  code       INTEGER NOT NULL,
  http       INTEGER NOT NULL,
  model      TEXT NOT NULL,
  answered_by TEXT NOT NULL,
  request_id TEXT NOT NULL,
  message    TEXT NOT NULL,
  seal       INTEGER NOT NULL,
  PRIMARY KEY(task, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer(
  task    INTEGER PRIMARY KEY,
  attempt INTEGER NOT NULL,
  stop    INTEGER NOT NULL,
  seal    INTEGER NOT NULL,
  text    BLOB NOT NULL
) STRICT;

CREATE TABLE file(
  id      INTEGER PRIMARY KEY,
  path    BLOB NOT NULL UNIQUE,
  digest  BLOB NOT NULL CHECK(length(digest) = 32),
  task    INTEGER NOT NULL,
  synced  INTEGER NOT NULL
) STRICT;
CREATE INDEX file_unsynced ON file(synced) WHERE synced = 0;
)sql";

const char* const ledger_schema_2 = R"sql(
CREATE TABLE placed(
  task   INTEGER NOT NULL,
  number INTEGER NOT NULL,
  node   TEXT NOT NULL,
  spare  INTEGER NOT NULL CHECK(spare BETWEEN 0 AND 1),
  PRIMARY KEY(task, number)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace cohort
