/**
 * What lies in an SQLite database of ours, and every statement over it.
 * @module
 */

/** How many keys are listed at once. */
export const keysPerPage = 500
/** How many expired entries go at once, so that a backlog of them does not hold up one write. */
const maxExpiredPerDelete = 64

/** 'LMEM': marks a database file as ours. https://www.sqlite.org/pragma.html#pragma_application_id */
export const applicationId = 0x4c_4d_45_4d
/** Written to `user_version`. A database of a newer one is left alone. */
export const schemaVersion = 1

/**
 * The tables, made where they are missing.
 * The names have a prefix because the database may be one that its user shares with us.
 * The casts to BLOB are there because the length of a text ends at its first NUL.
 * The sum is kept by triggers, and so holds whichever process writes; it is taken anew should a part of the schema have been missing.
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
/** How many objects the schema makes. */
export const schemaObjects = 7

/** The statements, by what they do. */
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
