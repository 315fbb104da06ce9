-- A span: the messages of one lane whose ids lie between this file's first id and the next file's.
-- All moments are Unix milliseconds (UTC), all money is in 1/10000 of the currency unit.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,         -- 'sealed_at': when the indexes were built; 'late_keys': 1 = the filter lacks keys
  value INTEGER NOT NULL
) WITHOUT ROWID;

-- One accepted API request: what its messages share.
CREATE TABLE request (
  id              INTEGER PRIMARY KEY, -- id of its first message
  account         INTEGER NOT NULL,    -- row of the account in control.db
  key             INTEGER NOT NULL,    -- row of the application key in control.db
  uniq_id         TEXT NOT NULL,       -- meta.uniqId of the answer
  external_id     TEXT,                -- the client's reference as given
  idempotency_key TEXT,                -- header Idempotency-Key
  fingerprint     BLOB NOT NULL,       -- first 16 octets of SHA-256 over what was asked
  traffic         INTEGER NOT NULL,    -- 0 code, 1 transactional, 2 bulk
  sender          TEXT NOT NULL,
  text            TEXT NOT NULL,       -- as asked for
  links           TEXT,                -- with shortLink, JSON: what stands before the codes, and from and to of each URL in text, in octets
  encoding        INTEGER NOT NULL,    -- 0 = GSM-7, 8 = UCS-2; 256 + 16 * locking + single = GSM-7 with national tables
  parts           INTEGER NOT NULL,    -- parts of each message
  flash           INTEGER NOT NULL,    -- 1 = shown at once, not stored on the handset
  webhook_url     TEXT,                -- where delivery reports go instead of the account's endpoint
  control_version INTEGER NOT NULL,    -- of the control data it was planned with
  accepted_at     INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,    -- no message is to be sent before
  schedule_time   INTEGER NOT NULL,    -- scheduleTime as asked, Unix seconds, 0 = now
  expires_at      INTEGER NOT NULL,    -- what is due at due_at is not to be sent after
  currency        INTEGER NOT NULL,    -- ISO 4217 number
  asked           INTEGER NOT NULL,    -- recipients asked for, repeats and refused ones included
  refused         TEXT,                -- JSON: recipients that were not accepted
  check_sum       INTEGER NOT NULL     -- CRC-32 over everything above
);

-- One recipient of a request.
CREATE TABLE message (
  id           INTEGER PRIMARY KEY,
  request_id   INTEGER NOT NULL,       -- request.id; (id - request_id) / 64 is the position within it
  account      INTEGER NOT NULL,       -- as in the request
  phone        INTEGER NOT NULL,       -- E.164 digits
  carrier      INTEGER NOT NULL,       -- the line it waits in; another one after it was rerouted
  price        INTEGER NOT NULL,       -- of all its parts
  expires_at   INTEGER NOT NULL,       -- not to be sent after
  due_at       INTEGER NOT NULL,       -- not to be sent before, 0 = at once
  check_sum    INTEGER NOT NULL,       -- CRC-32 over everything above
  status       INTEGER NOT NULL,       -- 1 new, 2 sent, 9 rejected, 10 cancelled, 21 delivered, 22 undelivered, 23 expired, 24 unknown
  status_at    INTEGER NOT NULL,
  error        TEXT,                   -- code of the outcome
  steps        INTEGER NOT NULL,       -- number of its last step
  part_state   INTEGER NOT NULL,       -- messages of one part; longer ones have rows in "part"
  part_carrier INTEGER,                -- who took or refused it
  taken_at     INTEGER,                -- when an operator took it, or may have
  operator_id  TEXT,                   -- the operator's id as given
  canonical_id TEXT,                   -- the form receipts are matched by, where it differs
  operator_key INTEGER,                -- 63 bits of SHA-256 over carrier and that form
  state_sum    INTEGER NOT NULL        -- CRC-32 over id and everything from status on
);

-- Parts of messages of several parts, once something happened to them.
CREATE TABLE part (
  message_id   INTEGER NOT NULL,
  number       INTEGER NOT NULL,       -- from 1
  state        INTEGER NOT NULL,       -- 0 waiting, 1 sent, 2 unknown, 3 rejected, 4 undelivered, 5 expired, 6 delivered,
                                       -- 7 about to be written, 8 in doubt
  carrier      INTEGER NOT NULL,
  taken_at     INTEGER,
  operator_id  TEXT,
  canonical_id TEXT,
  operator_key INTEGER,
  check_sum    INTEGER NOT NULL,       -- CRC-32 over everything above
  PRIMARY KEY (message_id, number)
) WITHOUT ROWID;

-- What happened to a message. A step with "position" is an event: a delivery report.
CREATE TABLE step (
  message_id  INTEGER NOT NULL,
  number      INTEGER NOT NULL,        -- from 1
  at          INTEGER NOT NULL,
  kind        TEXT NOT NULL,           -- refused, parts_taken, unanswered, rerouted, receipt, ended, cancelled, told
  part        INTEGER NOT NULL,        -- from 1, 0 = the whole message
  carrier     INTEGER,
  status      INTEGER,                 -- reached by it, if it moved the message
  detail      TEXT NOT NULL,           -- error code, reason or HTTP answer
  raw         BLOB,                    -- body of the PDU as received
  account     INTEGER,                 -- whose event it is, if it moved the message to an outcome
  position    INTEGER,                 -- place among all events of the lane, in the order of the commits
  check_sum   INTEGER NOT NULL,        -- CRC-32 over everything above
  event       INTEGER,                 -- 1 = to be told, 2 = told, 3 = given up, NULL = nobody wants to be told
  told_at     INTEGER,                 -- end of the last try
  attempts    INTEGER,
  next_at     INTEGER,                 -- not to be tried before
  call_id     BLOB,                    -- the webhook call it belongs to
  http_status INTEGER,                 -- of the last try
  event_sum   INTEGER,                 -- CRC-32 over the key and everything from event on
  PRIMARY KEY (message_id, number)
) WITHOUT ROWID;

-- Events that are no move of a message: incoming messages, link clicks.
CREATE TABLE notice (
  id          INTEGER PRIMARY KEY,
  account     INTEGER NOT NULL,        -- row of the account in control.db
  position    INTEGER NOT NULL,        -- place among all events of the lane, in the order of the commits
  kind        TEXT NOT NULL,           -- sms.incoming, sms.click
  webhook_url TEXT,                    -- where it goes instead of the account's endpoint
  payload     TEXT NOT NULL,           -- JSON: what is told
  check_sum   INTEGER NOT NULL,        -- CRC-32 over everything above
  event       INTEGER,                 -- from here on as in "step"
  told_at     INTEGER,
  attempts    INTEGER,
  next_at     INTEGER,
  call_id     BLOB,
  http_status INTEGER,
  event_sum   INTEGER
);

-- Receipts whose message is not known (yet).
CREATE TABLE parked_receipt (
  id            INTEGER PRIMARY KEY,
  carrier       INTEGER NOT NULL,
  canonical_ids TEXT NOT NULL,         -- JSON: forms of the operator's id, likeliest first
  at            INTEGER NOT NULL,
  state         TEXT NOT NULL,         -- the word of the receipt's stat field
  error         TEXT NOT NULL,
  done_at       INTEGER,
  raw           BLOB NOT NULL,
  check_sum     INTEGER NOT NULL       -- CRC-32 over everything above
);

-- Incoming messages: whole, as far as they came, or a part that came late.
CREATE TABLE incoming (
  id        INTEGER PRIMARY KEY,
  account   INTEGER NOT NULL,          -- whose it is, 0 = nobody owns the number and keyword
  carrier   INTEGER NOT NULL,
  at        INTEGER NOT NULL,          -- when the first part came
  source    TEXT NOT NULL,             -- who wrote, as given
  phone     INTEGER NOT NULL,          -- the same as E.164 digits, 0 = no phone number
  number    TEXT NOT NULL,             -- the number that was written to, digits only
  keyword   TEXT NOT NULL,             -- the one that decided whose it is, as its owner writes it
  text      TEXT NOT NULL,
  parts     INTEGER NOT NULL,          -- it has, whether or not they came
  missing   TEXT NOT NULL,             -- JSON: numbers of the parts that did not come
  late_part INTEGER,                   -- it is this part of a message that was told incomplete
  group_id  INTEGER,                   -- of a long message: id of its first part
  flaw      TEXT,                      -- what was wrong with it
  raw       BLOB NOT NULL,             -- body of the PDU as received; of long messages the parts have theirs
  check_sum INTEGER NOT NULL,          -- CRC-32 over everything above
  handled   INTEGER NOT NULL           -- 1 = answered, or not to be answered
);

-- Parts of long incoming messages.
CREATE TABLE incoming_part (
  id          INTEGER PRIMARY KEY,
  group_id    INTEGER NOT NULL,        -- id of the part that came first
  carrier     INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  source      TEXT NOT NULL,           -- as given
  destination TEXT NOT NULL,           -- as given
  kind        INTEGER NOT NULL,        -- of the reference: 0 header of 8 bits, 1 of 16 bits, 2 sar parameters
  reference   INTEGER NOT NULL,
  total       INTEGER NOT NULL,
  number      INTEGER NOT NULL,        -- from 1
  letters     INTEGER NOT NULL,        -- 0 GSM-7, 1 Latin-1, 2 ASCII, 3 UTF-16, from 256 GSM-7 with national tables
  payload     BLOB NOT NULL,           -- without the header
  raw         BLOB NOT NULL,           -- body of the PDU as received
  check_sum   INTEGER NOT NULL,        -- CRC-32 over everything above
  state       INTEGER NOT NULL         -- 0 waits for its siblings, 1 in a whole message, 2 in one told incomplete
);

-- Clicks on short links of messages, which may lie in older files.
CREATE TABLE click (
  id         INTEGER PRIMARY KEY,
  message_id INTEGER NOT NULL,
  link       INTEGER NOT NULL,         -- which link of the message, from 0
  account    INTEGER NOT NULL,         -- as in the message
  at         INTEGER NOT NULL,
  agent      INTEGER NOT NULL,         -- 0 phone, 1 tablet, 2 computer, 3 other; programs: 4 bot, 5 probe
  network    TEXT NOT NULL,            -- where from: IPv4 to 24 bits, IPv6 to 48
  check_sum  INTEGER NOT NULL          -- CRC-32 over everything above
);

-- Sums for reports and balances, kept in the commits that change them.
CREATE TABLE counter (
  day      INTEGER NOT NULL,           -- of acceptance, days since 1970-01-01 UTC
  account  INTEGER NOT NULL,
  kind     INTEGER NOT NULL,           -- 0 accepted, 1 refunded, 2 sent, other outcomes as in message.status
  messages INTEGER NOT NULL,
  parts    INTEGER NOT NULL,
  price    INTEGER NOT NULL,
  PRIMARY KEY (day, account, kind)
) WITHOUT ROWID;
