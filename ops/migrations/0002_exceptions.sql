-- Burns that fit no order, and delivered orders whose burn is gone. `place` is the id with its
-- serial padded, so that it sorts by serial; `open` is 1 until the exception is resolved, then 0.

CREATE TABLE exceptions (
    exception_id $text PRIMARY KEY,
    place $text NOT NULL UNIQUE,
    open $integer NOT NULL,
    version $integer NOT NULL,
    body $text NOT NULL
) $options;

CREATE INDEX exceptions_by_state ON exceptions (open, place);
