-- One table for each kind of record: columns for what is looked up, ordered or guarded, and `body`,
-- JSON, for all the rest. Times are unix seconds.
--
-- A migration is run once, in one transaction, in the order of its number, and never edited later.
-- It has to be right for SQLite and PostgreSQL; what they spell differently is a placeholder
-- (chalicelib/adapters/sql/migrations.py says what each stands for). Statements end with a
-- semicolon at the end of a line.

CREATE TABLE orders (
    order_id $text PRIMARY KEY,
    order_hash $text NOT NULL UNIQUE,
    customer $text NOT NULL,
    site_id $text NOT NULL,
    status $text NOT NULL,
    created_at $integer NOT NULL,
    expires_at $integer NOT NULL,
    sealed_meta $bytes,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE INDEX orders_by_customer ON orders (customer, created_at, order_hash);
CREATE INDEX orders_by_site ON orders (site_id, status, expires_at, order_hash);
CREATE INDEX orders_by_expiry ON orders (expires_at, order_hash);

CREATE TABLE order_history (
    order_hash $text NOT NULL,
    seq $integer NOT NULL,
    version $integer NOT NULL,
    body $text NOT NULL,
    PRIMARY KEY (order_hash, seq)
) $options;

CREATE TABLE redemptions (
    serial $integer NOT NULL PRIMARY KEY,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

-- One row each, under the one name there is.
CREATE TABLE listener_cursor (
    name $text PRIMARY KEY,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE TABLE catalogue (
    name $text PRIMARY KEY,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE TABLE reservations (
    key_hash $text PRIMARY KEY,
    expires_at $integer NOT NULL,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE INDEX reservations_by_expiry ON reservations (expires_at);

CREATE TABLE sites (
    site_id $text PRIMARY KEY,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE TABLE staff (
    username $text PRIMARY KEY,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE TABLE sessions (
    session_id $text PRIMARY KEY,
    expires_at $integer NOT NULL,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE wallet_nonces (
    nonce $text PRIMARY KEY,
    expires_at $integer NOT NULL,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE INDEX wallet_nonces_by_expiry ON wallet_nonces (expires_at);

CREATE TABLE audit_items (
    audit_id $text PRIMARY KEY,
    day $text NOT NULL,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE INDEX audit_items_by_day ON audit_items (day, audit_id);

CREATE TABLE counters (
    bucket $text NOT NULL,
    member $text NOT NULL,
    value $integer NOT NULL,
    expires_at $integer NOT NULL,
    PRIMARY KEY (bucket, member)
) $options;

CREATE INDEX counters_by_expiry ON counters (expires_at);
