-- Streams, their schemas and segments; who owns which partition; where each fold can start again.

CREATE TABLE tenants (
  id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenants (id, name) VALUES ('default', 'Default');

CREATE TABLE settings (
  name text PRIMARY KEY,
  value bytea NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Counters that grow in commit order, because each change holds its row until it commits.
CREATE TABLE versions (
  name text PRIMARY KEY,
  version bigint NOT NULL
);
INSERT INTO versions (name, version) VALUES ('streams', 0), ('manifest', 0);

CREATE TABLE streams (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenants (id),
  name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_.]{0,62}$'),
  version integer NOT NULL CHECK (version > 0),
  partitions integer NOT NULL CHECK (partitions > 0),
  compatibility smallint NOT NULL,
  allowed_lateness_us bigint NOT NULL CHECK (allowed_lateness_us >= 0),
  retention_us bigint CHECK (retention_us > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant, name)
);

CREATE TABLE stream_fields (
  stream_id bigint NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  version integer NOT NULL,
  position integer NOT NULL,
  name text NOT NULL,
  type smallint NOT NULL,
  kind smallint NOT NULL,
  unit text NOT NULL,
  allow_non_finite boolean NOT NULL,
  PRIMARY KEY (stream_id, version, position),
  UNIQUE (stream_id, version, name)
);

-- No reference to streams: the rows of a deleted stream stay until their objects are gone.
CREATE TABLE segments (
  stream_id bigint NOT NULL,
  tenant text NOT NULL,
  partition integer NOT NULL,
  resolution_us bigint NOT NULL CHECK (resolution_us > 0),
  first_window_us bigint NOT NULL,
  last_window_us bigint NOT NULL CHECK (last_window_us >= first_window_us),
  first_offset bigint NOT NULL CHECK (first_offset >= 0),
  end_offset bigint NOT NULL CHECK (end_offset > first_offset),
  object text NOT NULL UNIQUE,
  rows bigint NOT NULL CHECK (rows >= 0),
  bytes bigint NOT NULL CHECK (bytes >= 0),
  added_version bigint NOT NULL,
  removed_version bigint,
  removed_at timestamptz,
  PRIMARY KEY (stream_id, partition, resolution_us, first_offset, end_offset)
);
CREATE INDEX segments_added ON segments (added_version);
CREATE INDEX segments_removed ON segments (removed_version) WHERE removed_version IS NOT NULL;

CREATE TABLE leases (
  log text NOT NULL,
  partition integer NOT NULL CHECK (partition >= 0),
  owner text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT '',
  epoch bigint NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (log, partition)
);

CREATE TABLE snapshots (
  log text NOT NULL,
  partition integer NOT NULL,
  record_offset bigint NOT NULL CHECK (record_offset >= 0),
  epoch bigint NOT NULL,
  object text NOT NULL,
  bytes bigint NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (log, partition, record_offset, epoch)
);
