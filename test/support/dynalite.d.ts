declare module 'dynalite' {
  import type { Server } from 'node:http'

  /** A DynamoDB in memory, as a server that does not listen yet. Times are milliseconds. */
  export default function dynalite(options?: { readonly createTableMs?: number; readonly deleteTableMs?: number }): Server
}
