-- Users, sessions, keys, and the record of every change to them.

CREATE TABLE users (
  id text PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenants (id),
  name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 128),
  role text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
  password_hash text NOT NULL,
  must_change_password boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  password_changed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant, name)
);

-- A session is one sign-in and all the refresh tokens that came from it.
CREATE TABLE sessions (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_because text
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Used tokens stay as long as their session, so that a second use is seen.
CREATE TABLE refresh_tokens (
  hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  session_id text NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE api_keys (
  id text PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenants (id),
  name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 128),
  role text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX api_keys_tenant ON api_keys (tenant);

-- The private key is sealed with a key that is not in the database.
CREATE TABLE signing_keys (
  kid text PRIMARY KEY,
  sealed_private_key bytea NOT NULL,
  public_jwk text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- It signs until then; it verifies for a token's life longer.
  signs_until timestamptz NOT NULL,
  verifies_until timestamptz NOT NULL
);

-- One-use tickets that open a socket.
CREATE UNLOGGED TABLE tickets (
  hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  subject text NOT NULL,
  tenant text NOT NULL,
  -- Empty for the ticket of an API key.
  session_id text NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  tenant text NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  detail text NOT NULL DEFAULT ''
);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
