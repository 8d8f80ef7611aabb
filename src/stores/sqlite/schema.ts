/**
 * The schema of the SQLite database, and all statements on it.
 * @module
 */

/** Keys that one query lists. */
export const keysPerPage = 500
/** Expired entries that one statement removes, so that a backlog of them does not delay one write. */
const maxExpiredPerDelete = 64

/** 'LMEM', which marks a database file as ours. https://www.sqlite.org/pragma.html#pragma_application_id */
export const applicationId = 0x4c_4d_45_4d
/** Written to `user_version`. A database with a newer version is left alone. */
export const schemaVersion = 1

/**
 * Creates the tables where they are missing.
 * The names have a prefix, because users may share their own database with the cache.
 * The casts to BLOB are needed because SQLite measures a text only up to its first NUL.
 * Triggers keep the sum of bytes, so it is right whichever process writes. It is computed again when a part of the schema was missing.
 */
export const schema = `
  CREATE TABLE IF NOT EXISTS llmemo_entries (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER NOT NULL, stored_at INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS llmemo_entries_by_expiry ON llmemo_entries (expires_at);
  CREATE INDEX IF NOT EXISTS llmemo_entries_by_storing ON llmemo_entries (stored_at);
  CREATE TABLE IF NOT EXISTS llmemo_total (only INTEGER PRIMARY KEY CHECK (only = 1), bytes INTEGER NOT NULL);
  CREATE TRIGGER IF NOT EXISTS llmemo_entries_inserted AFTER INSERT ON llmemo_entries BEGIN
    UPDATE llmemo_total SET bytes = bytes + length(CAST(new.key AS BLOB)) + length(new.value); END;
  CREATE TRIGGER IF NOT EXISTS llmemo_entries_updated AFTER UPDATE OF key, value ON llmemo_entries BEGIN
    UPDATE llmemo_total SET bytes = bytes + length(CAST(new.key AS BLOB)) + length(new.value)
      - length(CAST(old.key AS BLOB)) - length(old.value); END;
  CREATE TRIGGER IF NOT EXISTS llmemo_entries_deleted AFTER DELETE ON llmemo_entries BEGIN
    UPDATE llmemo_total SET bytes = bytes - length(CAST(old.key AS BLOB)) - length(old.value); END;
  INSERT OR REPLACE INTO llmemo_total
    SELECT 1, coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM llmemo_entries;`
/** Number of objects in the schema. */
export const schemaObjects = 7

/** All statements. */
export const sql = {
  get: 'SELECT value FROM llmemo_entries WHERE key = ? AND expires_at > ?',
  getMany: 'SELECT key, value FROM llmemo_entries WHERE key IN (SELECT value FROM json_each(?)) AND expires_at > ?',
  keys: `SELECT key FROM llmemo_entries WHERE key >= ? AND expires_at > ? ORDER BY key LIMIT ${keysPerPage}`,
  set: `INSERT INTO llmemo_entries (key, value, expires_at, stored_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at, stored_at = excluded.stored_at`,
  delete: 'DELETE FROM llmemo_entries WHERE key = ?',
  total: 'SELECT bytes FROM llmemo_total',
  deleteExpired: `DELETE FROM llmemo_entries WHERE rowid IN (
    SELECT rowid FROM llmemo_entries WHERE expires_at <= ? AND key <> ? ORDER BY expires_at LIMIT ${maxExpiredPerDelete})`,
  deleteOldest: `DELETE FROM llmemo_entries WHERE rowid = (
    SELECT rowid FROM llmemo_entries WHERE key <> ? ORDER BY stored_at, rowid LIMIT 1)`,
} as const
