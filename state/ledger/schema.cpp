// Tables that change while a run goes on (task, attempt, answer, file) are narrow; what is frozen and long
// (spec, prefix) is kept apart, so that recording an outcome touches few pages.

#include "state/ledger/schema.hpp"

namespace cohort::state {

const char* const ledger_schema = R"sql(
CREATE TABLE meta(
  key       TEXT PRIMARY KEY CHECK(length(key) BETWEEN 1 AND 500),
  value     BLOB NOT NULL CHECK(length(value) <= 65536),
  signature INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run(
  id               INTEGER PRIMARY KEY CHECK(id BETWEEN 1 AND 1000000000),
  batch_id         TEXT NOT NULL CHECK(length(batch_id) BETWEEN 1 AND 100),
  model_id         TEXT NOT NULL CHECK(length(model_id) <= 300),
  started          INTEGER NOT NULL CHECK(started BETWEEN 0 AND 253402300799999),
  updated          INTEGER NOT NULL CHECK(updated BETWEEN 0 AND 253402300799999),
  status           INTEGER NOT NULL CHECK(status BETWEEN 0 AND 4),
  first_task       INTEGER NOT NULL CHECK(first_task BETWEEN 0 AND 1000000000000),
  last_task        INTEGER NOT NULL CHECK(last_task BETWEEN first_task - 1 AND first_task + 1000000000),
  batch_size       INTEGER NOT NULL CHECK(batch_size BETWEEN 0 AND 50),
  model            TEXT NOT NULL CHECK(length(model) <= 300),
  concurrent       INTEGER NOT NULL CHECK(concurrent BETWEEN 0 AND 10000),
  timeout          INTEGER NOT NULL CHECK(timeout BETWEEN 1 AND 604800000),
  min_complexity   INTEGER NOT NULL CHECK(min_complexity BETWEEN 0 AND 10),
  cost_limit       INTEGER CHECK(cost_limit BETWEEN 0 AND 1000000000000000000),
  budget           INTEGER CHECK(budget BETWEEN 0 AND 1000000000000000000),
  on_limit         INTEGER NOT NULL CHECK(on_limit BETWEEN 0 AND 2),
  parallel_batches INTEGER NOT NULL CHECK(parallel_batches BETWEEN 0 AND 1000),
  output_directory BLOB NOT NULL CHECK(length(output_directory) <= 4096),
  effort           TEXT NOT NULL CHECK(length(effort) <= 100),
  fallback         TEXT NOT NULL CHECK(length(fallback) <= 300),
  workload         TEXT NOT NULL CHECK(length(workload) BETWEEN 1 AND 100),
  signature        INTEGER NOT NULL
) STRICT;

CREATE TABLE task(
  key           INTEGER PRIMARY KEY CHECK(key BETWEEN 1 AND 1000000000000),
  run           INTEGER NOT NULL REFERENCES run(id),
  id            BLOB NOT NULL CHECK(length(id) = 16),
  batch         INTEGER NOT NULL CHECK(batch BETWEEN 0 AND 1000000000),
  state         INTEGER NOT NULL CHECK(state BETWEEN 0 AND 5),
  changed       INTEGER NOT NULL CHECK(changed BETWEEN 0 AND 253402300799999),
  code          INTEGER NOT NULL CHECK(code BETWEEN 0 AND 255),
  file          INTEGER,
  conflict_copy INTEGER NOT NULL CHECK(conflict_copy BETWEEN 0 AND 1),
  answer        INTEGER NOT NULL CHECK(answer BETWEEN 0 AND 1000000),
  input_tokens  INTEGER NOT NULL CHECK(input_tokens BETWEEN 0 AND 1000000000000),
  output_tokens INTEGER NOT NULL CHECK(output_tokens BETWEEN 0 AND 1000000000000),
  low           INTEGER NOT NULL CHECK(low BETWEEN 0 AND 1000000000000000),
  expected      INTEGER NOT NULL CHECK(expected BETWEEN 0 AND 1000000000000000),
  worst         INTEGER NOT NULL CHECK(worst BETWEEN 0 AND 1000000000000000),
  reason        TEXT NOT NULL CHECK(length(reason) <= 65536),
  signature     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_identity ON task(id, run);
CREATE INDEX task_batch ON task(run, batch);

CREATE TABLE prefix(
  id        INTEGER PRIMARY KEY CHECK(id BETWEEN 1 AND 1000000000000),
  digest    BLOB NOT NULL UNIQUE CHECK(length(digest) = 32),
  text      BLOB NOT NULL CHECK(length(text) <= 33554432),
  signature INTEGER NOT NULL
) STRICT;

CREATE TABLE spec(
  task          INTEGER PRIMARY KEY REFERENCES task(key),
  label         BLOB NOT NULL CHECK(length(label) <= 8192),
  source        BLOB NOT NULL CHECK(length(source) <= 4096),
  source_digest BLOB NOT NULL CHECK(length(source_digest) = 32),
  target        BLOB NOT NULL CHECK(length(target) BETWEEN 1 AND 4096),
  part          INTEGER NOT NULL CHECK(part BETWEEN 1 AND parts),
  parts         INTEGER NOT NULL CHECK(parts BETWEEN 1 AND 1000000),
  complexity    INTEGER NOT NULL CHECK(complexity BETWEEN 0 AND 1000000000),
  model         TEXT NOT NULL CHECK(length(model) <= 300),
  max_tokens    INTEGER NOT NULL CHECK(max_tokens BETWEEN 1 AND 100000000),
  cache         INTEGER NOT NULL CHECK(cache BETWEEN 0 AND 2),
  effort        TEXT NOT NULL CHECK(length(effort) <= 100),
  traits        BLOB NOT NULL CHECK(length(traits) <= 1048576),
  prefix        INTEGER NOT NULL REFERENCES prefix(id),
  prompt_check  INTEGER NOT NULL,
  signature     INTEGER NOT NULL,
  prompt        BLOB NOT NULL CHECK(length(prompt) <= 33554432)
) STRICT;
CREATE INDEX spec_target ON spec(target);

CREATE TABLE attempt(
  task       INTEGER NOT NULL,
  number     INTEGER NOT NULL CHECK(number BETWEEN 1 AND 1000000),
  kind       INTEGER NOT NULL CHECK(kind BETWEEN 0 AND 2),
  max_tokens INTEGER NOT NULL CHECK(max_tokens BETWEEN 0 AND 100000000),
  holder     TEXT NOT NULL CHECK(length(holder) <= 500),
  duplicate  INTEGER NOT NULL CHECK(duplicate BETWEEN 0 AND 1),
  outcome    INTEGER NOT NULL CHECK(outcome BETWEEN 0 AND 3),
  reserved   INTEGER NOT NULL CHECK(reserved BETWEEN 0 AND 1000000000000000),
  cost       INTEGER NOT NULL CHECK(cost BETWEEN 0 AND 1000000000000000),
  sent       INTEGER NOT NULL CHECK(sent BETWEEN 0 AND 253402300799999),
  ended      INTEGER NOT NULL CHECK(ended BETWEEN 0 AND 253402300799999),
  lease      INTEGER NOT NULL,
  input_tokens       INTEGER NOT NULL CHECK(input_tokens BETWEEN 0 AND 1000000000000),
  cache_write_5m     INTEGER NOT NULL CHECK(cache_write_5m BETWEEN 0 AND 1000000000000),
  cache_write_1h     INTEGER NOT NULL CHECK(cache_write_1h BETWEEN 0 AND 1000000000000),
  cache_read         INTEGER NOT NULL CHECK(cache_read BETWEEN 0 AND 1000000000000),
  output_tokens      INTEGER NOT NULL CHECK(output_tokens BETWEEN 0 AND 1000000000000),
  tier               INTEGER NOT NULL CHECK(tier BETWEEN 0 AND 3),
  us_inference       INTEGER NOT NULL CHECK(us_inference BETWEEN 0 AND 1),
  stop       INTEGER NOT NULL CHECK(stop BETWEEN 0 AND 7),
  code       INTEGER NOT NULL CHECK(code BETWEEN 0 AND 255),
  http       INTEGER NOT NULL CHECK(http BETWEEN 0 AND 65535),
  model      TEXT NOT NULL CHECK(length(model) <= 300),
  answered_by TEXT NOT NULL CHECK(length(answered_by) <= 4096),
  request_id TEXT NOT NULL CHECK(length(request_id) <= 4096),
  message    TEXT NOT NULL CHECK(length(message) <= 65536),
  prompt     BLOB CHECK(length(prompt) <= 33554432),
  signature  INTEGER NOT NULL,
  PRIMARY KEY(task, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer(
  task      INTEGER NOT NULL,
  number    INTEGER NOT NULL CHECK(number BETWEEN 1 AND 1000000),
  stop      INTEGER NOT NULL CHECK(stop BETWEEN 0 AND 7),
  signature INTEGER NOT NULL,
  text      BLOB NOT NULL CHECK(length(text) <= 67108864),
  PRIMARY KEY(task, number)
) STRICT;

CREATE TABLE file(
  id        INTEGER PRIMARY KEY CHECK(id BETWEEN 1 AND 1000000000000),
  path      BLOB NOT NULL UNIQUE CHECK(length(path) BETWEEN 1 AND 8192),
  digest    BLOB NOT NULL CHECK(length(digest) = 32),
  task      INTEGER NOT NULL,
  synced    INTEGER NOT NULL CHECK(synced BETWEEN 0 AND 1),
  signature INTEGER NOT NULL
) STRICT;
CREATE INDEX file_unsynced ON file(synced) WHERE synced = 0;
)sql";

const char* const ledger_schema_3 = R"sql(
CREATE TABLE meta(
  key       TEXT PRIMARY KEY CHECK(length(key) BETWEEN 1 AND 500),
  value     BLOB NOT NULL CHECK(length(value) <= 65536),
  signature INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run(
  id               INTEGER PRIMARY KEY CHECK(id BETWEEN 1 AND 1000000000),
  batch_id         TEXT NOT NULL CHECK(length(batch_id) BETWEEN 1 AND 100),
  model_id         TEXT NOT NULL CHECK(length(model_id) <= 300),
  started          INTEGER NOT NULL CHECK(started BETWEEN 0 AND 253402300799999),
  updated          INTEGER NOT NULL CHECK(updated BETWEEN 0 AND 253402300799999),
  status           INTEGER NOT NULL CHECK(status BETWEEN 0 AND 4),
  first_task       INTEGER NOT NULL CHECK(first_task BETWEEN 0 AND 1000000000000),
  last_task        INTEGER NOT NULL CHECK(last_task BETWEEN first_task - 1 AND first_task + 1000000000),
  batch_size       INTEGER NOT NULL CHECK(batch_size BETWEEN 0 AND 50),
  model            TEXT NOT NULL CHECK(length(model) <= 300),
  concurrent       INTEGER NOT NULL CHECK(concurrent BETWEEN 0 AND 10000),
  timeout          INTEGER NOT NULL CHECK(timeout BETWEEN 1 AND 604800000),
  min_complexity   INTEGER NOT NULL CHECK(min_complexity BETWEEN 0 AND 10),
  cost_limit       INTEGER CHECK(cost_limit BETWEEN 0 AND 1000000000000000000),
  budget           INTEGER CHECK(budget BETWEEN 0 AND 1000000000000000000),
  on_limit         INTEGER NOT NULL CHECK(on_limit BETWEEN 0 AND 2),
  parallel_batches INTEGER NOT NULL CHECK(parallel_batches BETWEEN 0 AND 1000),
  output_directory BLOB NOT NULL CHECK(length(output_directory) <= 4096),
  effort           TEXT NOT NULL CHECK(length(effort) <= 100),
  fallback         TEXT NOT NULL CHECK(length(fallback) <= 300),
  signature        INTEGER NOT NULL
) STRICT;

CREATE TABLE task(
  key           INTEGER PRIMARY KEY CHECK(key BETWEEN 1 AND 1000000000000),
  run           INTEGER NOT NULL REFERENCES run(id),
  id            BLOB NOT NULL CHECK(length(id) = 16),
  batch         INTEGER NOT NULL CHECK(batch BETWEEN 0 AND 1000000000),
  state         INTEGER NOT NULL CHECK(state BETWEEN 0 AND 5),
  changed       INTEGER NOT NULL CHECK(changed BETWEEN 0 AND 253402300799999),
  code          INTEGER NOT NULL CHECK(code BETWEEN 0 AND 255),
  file          INTEGER,
  beside        INTEGER NOT NULL CHECK(beside BETWEEN 0 AND 1),
  input_tokens  INTEGER NOT NULL CHECK(input_tokens BETWEEN 0 AND 1000000000000),
  output_tokens INTEGER NOT NULL CHECK(output_tokens BETWEEN 0 AND 1000000000000),
  low           INTEGER NOT NULL CHECK(low BETWEEN 0 AND 1000000000000000),
  expected      INTEGER NOT NULL CHECK(expected BETWEEN 0 AND 1000000000000000),
  worst         INTEGER NOT NULL CHECK(worst BETWEEN 0 AND 1000000000000000),
  reason        TEXT NOT NULL CHECK(length(reason) <= 65536),
  signature     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_identity ON task(id, run);
CREATE INDEX task_batch ON task(run, batch);

CREATE TABLE prefix(
  id        INTEGER PRIMARY KEY CHECK(id BETWEEN 1 AND 1000000000000),
  digest    BLOB NOT NULL UNIQUE CHECK(length(digest) = 32),
  text      BLOB NOT NULL CHECK(length(text) <= 33554432),
  signature INTEGER NOT NULL
) STRICT;

CREATE TABLE spec(
  task          INTEGER PRIMARY KEY REFERENCES task(key),
  label         BLOB NOT NULL CHECK(length(label) <= 8192),
  source        BLOB NOT NULL CHECK(length(source) <= 4096),
  source_digest BLOB NOT NULL CHECK(length(source_digest) = 32),
  target        BLOB NOT NULL CHECK(length(target) BETWEEN 1 AND 4096),
  part          INTEGER NOT NULL CHECK(part BETWEEN 1 AND parts),
  parts         INTEGER NOT NULL CHECK(parts BETWEEN 1 AND 1000000),
  complexity    INTEGER NOT NULL CHECK(complexity BETWEEN 0 AND 1000000000),
  model         TEXT NOT NULL CHECK(length(model) <= 300),
  max_tokens    INTEGER NOT NULL CHECK(max_tokens BETWEEN 1 AND 100000000),
  cache         INTEGER NOT NULL CHECK(cache BETWEEN 0 AND 2),
  effort        TEXT NOT NULL CHECK(length(effort) <= 100),
  traits        BLOB NOT NULL CHECK(length(traits) <= 1048576),
  prefix        INTEGER NOT NULL REFERENCES prefix(id),
  prompt_check  INTEGER NOT NULL,
  signature     INTEGER NOT NULL,
  prompt        BLOB NOT NULL CHECK(length(prompt) <= 33554432)
) STRICT;
CREATE INDEX spec_target ON spec(target);

CREATE TABLE attempt(
  task       INTEGER NOT NULL,
  number     INTEGER NOT NULL CHECK(number BETWEEN 1 AND 1000000),
  outcome    INTEGER NOT NULL CHECK(outcome BETWEEN 0 AND 3),
  reserved   INTEGER NOT NULL CHECK(reserved BETWEEN 0 AND 1000000000000000),
  cost       INTEGER NOT NULL CHECK(cost BETWEEN 0 AND 1000000000000000),
  sent       INTEGER NOT NULL CHECK(sent BETWEEN 0 AND 253402300799999),
  ended      INTEGER NOT NULL CHECK(ended BETWEEN 0 AND 253402300799999),
  lease      INTEGER NOT NULL,
  input_tokens       INTEGER NOT NULL CHECK(input_tokens BETWEEN 0 AND 1000000000000),
  cache_write_5m     INTEGER NOT NULL CHECK(cache_write_5m BETWEEN 0 AND 1000000000000),
  cache_write_1h     INTEGER NOT NULL CHECK(cache_write_1h BETWEEN 0 AND 1000000000000),
  cache_read         INTEGER NOT NULL CHECK(cache_read BETWEEN 0 AND 1000000000000),
  output_tokens      INTEGER NOT NULL CHECK(output_tokens BETWEEN 0 AND 1000000000000),
  tier               INTEGER NOT NULL CHECK(tier BETWEEN 0 AND 3),
  us_inference       INTEGER NOT NULL CHECK(us_inference BETWEEN 0 AND 1),
  stop       INTEGER NOT NULL CHECK(stop BETWEEN 0 AND 7),
  code       INTEGER NOT NULL CHECK(code BETWEEN 0 AND 255),
  http       INTEGER NOT NULL CHECK(http BETWEEN 0 AND 65535),
  model      TEXT NOT NULL CHECK(length(model) <= 300),
  answered_by TEXT NOT NULL CHECK(length(answered_by) <= 4096),
  request_id TEXT NOT NULL CHECK(length(request_id) <= 4096),
  message    TEXT NOT NULL CHECK(length(message) <= 65536),
  signature  INTEGER NOT NULL,
  PRIMARY KEY(task, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer(
  task      INTEGER PRIMARY KEY,
  attempt   INTEGER NOT NULL CHECK(attempt BETWEEN 1 AND 1000000),
  stop      INTEGER NOT NULL CHECK(stop BETWEEN 0 AND 7),
  signature INTEGER NOT NULL,
  text      BLOB NOT NULL CHECK(length(text) <= 67108864)
) STRICT;

CREATE TABLE file(
  id        INTEGER PRIMARY KEY CHECK(id BETWEEN 1 AND 1000000000000),
  path      BLOB NOT NULL UNIQUE CHECK(length(path) BETWEEN 1 AND 8192),
  digest    BLOB NOT NULL CHECK(length(digest) = 32),
  task      INTEGER NOT NULL,
  synced    INTEGER NOT NULL CHECK(synced BETWEEN 0 AND 1),
  signature INTEGER NOT NULL
) STRICT;
CREATE INDEX file_unsynced ON file(synced) WHERE synced = 0;

CREATE TABLE placed(
  task      INTEGER NOT NULL,
  number    INTEGER NOT NULL CHECK(number BETWEEN 1 AND 1000000),
  node      TEXT NOT NULL CHECK(length(node) <= 500),
  spare     INTEGER NOT NULL CHECK(spare BETWEEN 0 AND 1),
  signature INTEGER NOT NULL,
  PRIMARY KEY(task, number)
) STRICT, WITHOUT ROWID;
)sql";

const char* const ledger_schema_1 = R"sql(
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

}  // namespace cohort::state
