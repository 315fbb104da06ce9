//! The tables of `webhooks.db`. Moments are Unix milliseconds (UTC).

pub(super) const SCHEMA: &str = "
    PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4000;
    CREATE TABLE IF NOT EXISTS endpoint (   -- endpoints that do nothing but fail, or are off
      account    INTEGER NOT NULL,
      kind       TEXT NOT NULL,
      named_url  TEXT NOT NULL,             -- URL that requests named; empty = the account's own endpoint
      url        TEXT NOT NULL,             -- main URL that the trouble is with
      since      INTEGER NOT NULL,          -- first failure since the last success
      failures   INTEGER NOT NULL,
      off_at     INTEGER,                   -- not called since then
      off_reason TEXT,                      -- gone, failing
      PRIMARY KEY (account, kind, named_url)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS attempt (    -- the attempts of the last days
      id          INTEGER PRIMARY KEY AUTOINCREMENT,
      account     INTEGER NOT NULL,
      kind        TEXT NOT NULL,
      named_url   TEXT NOT NULL,
      url         TEXT NOT NULL,            -- that was called
      call        BLOB NOT NULL,
      number      INTEGER NOT NULL,
      at          INTEGER NOT NULL,
      latency_ms  INTEGER NOT NULL,
      http_status INTEGER NOT NULL,         -- 0 = no answer
      failure     TEXT NOT NULL,
      headers     TEXT NOT NULL,            -- of the request
      events      BLOB NOT NULL,            -- events in the body: 8 octets of message id and 2 of step each, big-endian
      body_octets INTEGER NOT NULL,
      answer      BLOB NOT NULL);           -- beginning of the answer's body
    CREATE INDEX IF NOT EXISTS attempt_account ON attempt (account, id);
    CREATE TABLE IF NOT EXISTS missed (     -- attempts that could not be kept
      account  INTEGER NOT NULL,
      hour     INTEGER NOT NULL,            -- Unix milliseconds / 3,600,000
      attempts INTEGER NOT NULL,
      PRIMARY KEY (account, hour)) WITHOUT ROWID;";
